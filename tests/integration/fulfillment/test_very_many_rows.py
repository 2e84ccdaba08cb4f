"""A person of more rows than a task's row and one transaction should hold, on the real databases, and a kill."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from bench.person_systems import EMAIL, OTHERS_ROWS, Place
from deploy.migrate import with_database
from services.fulfillment.connecting import connect
from services.fulfillment.frozen_keys import FrozenKeys
from shared.clock import SystemClock
from shared.hosting import open_resources
from tests.support.eventually import eventually_async
from tests.support.fulfillment_host import FulfillmentHost, fulfillment_host, goes_on
from tests.support.installation import Installation, Installations

pytestmark = pytest.mark.connected
VISITS = 10_500
LIMITS = {"chunk_rows": 1000, "transaction_rows": 2000}
IN_THE_MIDDLE = 8000
KEY = "act:events:delete"
_SETS = "SELECT frozen_id, count(*) AS pieces FROM frozen_keys GROUP BY frozen_id"


@pytest.fixture
async def installation(installations: Installations) -> Installation:
    """One without topics: nothing here is published."""
    return await installations.make(topics=())


@pytest.fixture
async def place(installation: Installation, tmp_path: Path) -> AsyncIterator[Place]:
    """A database of the business's own, in which Ada has very many rows."""
    server, name = installation.stack.database_url, f"events_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(server)
    await admin.execute(f"CREATE DATABASE {name}")
    made = Place("postgresql", tmp_path, with_database(server, name), VISITS, business="cascadia")
    await made.fill(LIMITS)
    yield made
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@asynccontextmanager
async def service(installation: Installation, place: Place) -> AsyncIterator[FulfillmentHost]:
    connected = connect(place.systems, place.folder, SystemClock())
    async with fulfillment_host(installation, connected) as opened:
        yield opened
        for each in connected:
            await each.adapter.close()


async def killed_in_the_middle(running: FulfillmentHost, place: Place) -> None:
    """The process goes while one of its statements waits for somebody's lock; parts of it are committed."""
    owner = await asyncpg.connect(place.url)
    async with owner.transaction():
        await owner.execute("SELECT FROM visits WHERE id = $1 FOR UPDATE", IN_THE_MIDDLE)

        async def begun() -> bool:
            await running.host.runner.turn()
            return (await place.left())[0] <= VISITS - IN_THE_MIDDLE + LIMITS["transaction_rows"]

        await eventually_async(begun, within=20)
        await running.host.runner.drain(within=0)
    await owner.close()


async def sealed_in_the_row(running: FulfillmentHost) -> tuple[UUID, int]:
    row = await running.resources.pool.fetchrow(
        "SELECT frozen_id, octet_length(frozen) AS size FROM tasks WHERE key = $1", KEY
    )
    return row["frozen_id"], row["size"]


async def test_a_deletion_that_is_killed_in_the_middle_is_gone_on_with_and_ends_exact(
    installation: Installation, place: Place
) -> None:
    async with service(installation, place) as first:
        asked = await first.asked(EMAIL)
        await first.hear(*asked.facts())
        await killed_in_the_middle(first, place)
    left, others = await place.left()
    assert 0 < left < VISITS
    assert others == OTHERS_ROWS

    async with service(installation, place) as second:
        frozen_id, size = await sealed_in_the_row(second)
        assert size < 1000
        sets = {row["frozen_id"]: row["pieces"] for row in await second.resources.pool.fetch(_SETS)}
        assert sets == {frozen_id: 3}

        resolution, outcome = await goes_on(second, asked)

        assert (resolution, outcome.erased) == ("complete", VISITS + 1)
        assert await place.left() == (0, OTHERS_ROWS)
        assert await second.resources.pool.fetch(_SETS) == [(frozen_id, 3)]


async def test_pieces_go_when_no_task_names_them_for_a_day_or_no_key_opens_them(
    installation: Installation, place: Place
) -> None:
    async with service(installation, place) as running, AsyncExitStack() as stack:
        asked = await running.asked(EMAIL)
        await running.hear(*asked.facts())
        await running.run_tasks()
        named, _ = await sealed_in_the_row(running)
        pool, now = running.resources.pool, SystemClock().now()
        pieces, (old, new) = FrozenKeys(pool, running.resources.vault), (uuid4(), uuid4())
        for each in (old, new):
            await pieces.keep(asked.request_id, each, 1, "c2VhbGVk")
        aged = (
            "UPDATE frozen_keys SET noted_at = noted_at - interval '2 days' WHERE frozen_id = ANY($1::uuid[])"
        )
        await pool.execute(aged, [old, named])

        await pieces.forget(now)
        kept = {row["frozen_id"] for row in await pool.fetch(_SETS)}
        closing = await open_resources(installation.settings, "deadline", stack)
        await closing.vault.destroy([asked.request_id], "closed")
        later = await open_resources(installation.settings, "fulfillment", stack)
        await FrozenKeys(later.pool, later.vault).forget(now)

        assert kept == {named, new}
        assert await pool.fetch(_SETS) == []
