"""A small Cascadia Motors and an adapter to each of its systems."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import sqlalchemy as sa

from deploy.demo.cascadia.load import Cascadia, load
from deploy.demo.cascadia.people import Person
from services.fulfillment.connecting import connect
from services.fulfillment.datamap.folder import load_systems
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import Adapter, Ambiguous, Done, Frozen, Gone, Nothing, Subject, Unknown
from shared.clock import SystemClock

SYSTEMS = Path("deploy/systems")
CUT_OFF = datetime(2026, 6, 1, tzinfo=UTC)


class World:
    """A small Cascadia and an adapter to each of its systems."""

    def __init__(self, cascadia: Cascadia) -> None:
        self.cascadia = cascadia
        self.described = cascadia.places.home / "systems"
        shutil.copytree(SYSTEMS, self.described)
        cascadia.describe(self.described)
        self.systems: dict[str, System] = {
            system.system: system for system in load_systems(self.described, home=cascadia.places.home)
        }
        self.adapters: dict[str, Adapter] = {
            each.entry.name: each.adapter
            for each in connect(self.described, cascadia.places.home, SystemClock())
        }

    async def ask(self, right: str, person: Person) -> None:
        """Do what the person asks in all systems; what one has taken on is looked at until it is done."""
        subject = Subject({"email": person.email, "customer_id": person.customer_id})
        for name, adapter in self.adapters.items():
            frozen = await adapter.find(subject, cut_off=CUT_OFF)
            assert isinstance(frozen, Frozen)
            key = f"{right} {person.number} {name}"
            outcome = await adapter.act(right, frozen, cut_off=CUT_OFF, idempotency_key=key)
            if isinstance(outcome, Ambiguous):
                frozen = replace(frozen, jobs=outcome.jobs)
                working = await adapter.prove(right, frozen, cut_off=CUT_OFF)
                assert isinstance(working, Unknown)
                assert working.look_again
            else:
                assert isinstance(outcome, Done | Nothing)
            assert isinstance(await adapter.prove(right, frozen, cut_off=CUT_OFF), Gone)

    async def run(self, system: str, statement: str) -> None:
        """The adapter's own role does something on its own."""
        address = sa.make_url(self.systems[system].address())
        connection = await asyncpg.connect(address.render_as_string(hide_password=False))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def owner_of_a_car(self) -> Person:
        return next(person for person in self.cascadia.people if person.owns_car and person.dms_email)


@asynccontextmanager
async def opened_world(postgresql: sa.URL, home: Path, *, in_store: bool) -> AsyncIterator[World]:
    admin = postgresql.set(drivername="postgresql").render_as_string(hide_password=False)
    opened = World(await load(admin, home, seed=11, people=60, in_store=in_store))
    yield opened
    for adapter in opened.adapters.values():
        await adapter.close()
    opened.cascadia.close()
