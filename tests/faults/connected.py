"""What others do in the connected systems meanwhile: sign up again, or lock a table."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg

from deploy.demo.cascadia.people import Person
from deploy.demo.cascadia.places import DATABASES
from tests.faults.world import World

CRM_DELETION = "DELETE FROM contacts"


def crm_of(world: World) -> Any:
    """The administrator's way to the customers of the sample business."""
    return asyncpg.create_pool(
        world.running.town.business.places.admin(DATABASES["crm"]), min_size=1, max_size=1
    )


async def contact_of(world: World, person: Person) -> int:
    """The id of a person's contact."""
    rows = await world.running.town.rows_of(person)
    return next(int(number) for system, table, number in rows if (system, table) == ("crm", "contacts"))


async def signs_up_again(crm: asyncpg.Pool, email: str, number: int | None = None) -> int:
    """A new contact of this address, younger than the request; its id is the next one, or `number` once more."""
    row = await crm.fetchrow("SELECT max(id) + 1 AS id, clock_timestamp() AS now FROM contacts")
    found = row["id"] if number is None else number
    await crm.execute(
        "INSERT INTO contacts (id, customer_number, first_name, last_name, email, created_at)"
        " VALUES ($1, $2, 'New', 'Self', $3, $4)",
        found,
        f"again-{found}",
        email,
        row["now"] + timedelta(seconds=1),
    )
    return int(found)


@asynccontextmanager
async def locked(world: World, system: str, table: str) -> AsyncIterator[None]:
    """Nobody reads or writes a table meanwhile."""
    connection = await asyncpg.connect(world.running.town.business.places.admin(DATABASES[system]))
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()
