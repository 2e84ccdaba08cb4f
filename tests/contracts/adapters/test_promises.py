"""What the kernel builds on, kept by real databases and by the system in memory that stands in for them.

The simulation, the machines' tests and the bench run over the stand-in: what it promises must be what a database keeps.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest

from services.fulfillment.ports import Adapter, Done, Export, Frozen, Gone, StillPresent, Subject
from tests.support.memory_system import MemorySystem, Row, memory_system, table
from tests.support.shop import AFTER, CUT_OFF, EMAIL, Shop, sqlite_shop, subject

KEY = "0123456789abcdef"
BOB = Subject({"email": "bob@example.com"})
ADA_IN_MEMORY = {"email": EMAIL}


class Place(Protocol):
    """A system with Ada and Bob in it; some of what is Ada's has to stay."""

    @property
    def adapter(self) -> Adapter: ...

    async def comes_back(self) -> None:
        """Ada registers again, after the cut-off."""
        ...


class InMemory:
    def __init__(self) -> None:
        tables = (table("people", "email", opt_out=True), table("invoices", "email", retention="legal_duty"))
        bob = dict(BOB.seeds)
        rows = [
            Row(name, number, seeds)
            for number, (name, seeds) in enumerate(
                [("people", ADA_IN_MEMORY), ("invoices", ADA_IN_MEMORY), ("people", bob), ("invoices", bob)]
            )
        ]
        self.system: MemorySystem = memory_system("crm", *rows, tables=tables)

    @property
    def adapter(self) -> Adapter:
        return self.system

    async def comes_back(self) -> None:
        for name in ("people", "invoices"):
            self.system.rows.append(Row(name, len(self.system.rows), ADA_IN_MEMORY, created_at=AFTER))


class InDatabase:
    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.adapter: Adapter = shop.adapter()

    async def comes_back(self) -> None:
        await self._shop.re_register()


@pytest.fixture
async def on_a_file(tmp_path: Path) -> AsyncIterator[Shop]:
    shop = await sqlite_shop(tmp_path).open()
    yield shop
    await shop.close()


@pytest.fixture(params=["memory", "on_a_file", pytest.param("postgresql_only", marks=pytest.mark.connected)])
def place(request: pytest.FixtureRequest) -> Place:
    return InMemory() if request.param == "memory" else InDatabase(request.getfixturevalue(request.param))


async def found(place: Place, of: Subject | None = None) -> Frozen:
    frozen = await place.adapter.find(of or subject(), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    return frozen


async def done(place: Place, right: str, frozen: Frozen) -> Done:
    outcome = await place.adapter.act(right, frozen, cut_off=CUT_OFF, idempotency_key=KEY)
    assert isinstance(outcome, Done)
    return outcome


async def test_the_same_is_found_again_whatever_came_after_the_cut_off(place: Place) -> None:
    before = await found(place)
    await place.comes_back()

    again = await found(place)

    assert before.rows
    assert (again.rows, again.shared) == (before.rows, before.shared)


async def test_a_deletion_is_pending_until_it_was_done_and_then_gone(place: Place) -> None:
    frozen = await found(place)
    assert isinstance(await place.adapter.prove("delete", frozen, cut_off=CUT_OFF), StillPresent)

    await done(place, "delete", frozen)

    assert isinstance(await place.adapter.prove("delete", frozen, cut_off=CUT_OFF), Gone)


async def test_the_second_time_nothing_is_done(place: Place) -> None:
    frozen = await found(place)
    first = await done(place, "delete", frozen)

    second = await done(place, "delete", frozen)

    assert sum(count.erased + count.deidentified for count in first.receipt.datasets) > 0
    assert sum(count.erased + count.deidentified for count in second.receipt.datasets) == 0


async def test_what_is_kept_says_under_which_exemption_and_is_found_afterwards(place: Place) -> None:
    receipt = (await done(place, "delete", await found(place))).receipt

    kept = [count for count in receipt.datasets if count.dataset == "invoices"]
    assert [retained.count for count in kept for retained in count.retained] == [1]
    assert "invoices" in (await found(place)).rows


async def test_whoever_came_back_keeps_the_new_rows(place: Place) -> None:
    frozen = await found(place)
    await place.comes_back()

    await done(place, "delete", frozen)

    later = await place.adapter.find(subject(), cut_off=AFTER)
    assert isinstance(later, Frozen)
    assert {table for table, keys in later.rows.items() if keys} > {"invoices"}


async def test_nobody_else_is_touched(place: Place) -> None:
    before = await found(place, BOB)

    await done(place, "delete", await found(place))
    await done(place, "opt_out", await found(place))

    assert before.rows
    # What they shared is his alone by now.
    assert before.rows.items() <= (await found(place, BOB)).rows.items()
    assert isinstance(await place.adapter.prove("delete", before, cut_off=CUT_OFF), StillPresent)
    assert isinstance(await place.adapter.prove("opt_out", before, cut_off=CUT_OFF), StillPresent)


async def test_an_opt_out_is_set_once(place: Place) -> None:
    frozen = await found(place)

    first = await done(place, "opt_out", frozen)
    second = await done(place, "opt_out", frozen)

    assert sum(count.corrected for count in first.receipt.datasets) > 0
    assert sum(count.corrected for count in second.receipt.datasets) == 0
    assert isinstance(await place.adapter.prove("opt_out", frozen, cut_off=CUT_OFF), Gone)


async def test_an_export_shows_what_was_found_and_no_more(place: Place) -> None:
    frozen = await found(place)

    export = await place.adapter.export(frozen, cut_off=CUT_OFF)

    assert isinstance(export, Export)
    assert {one.dataset: len(one.rows) for one in export.datasets} == {
        name: len(keys) for name, keys in frozen.rows.items()
    }
