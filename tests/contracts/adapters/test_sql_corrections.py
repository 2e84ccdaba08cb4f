"""A correction in a database: one transaction, crashes and lost answers, and what a database does by itself."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.fulfillment.bulk import Order
from services.fulfillment.connected import Connected
from services.fulfillment.connecting import entry_of
from services.fulfillment.ports import DatasetCount, Done, Frozen, Gone, NeedsPerson, Unknown
from shared.privacy import Claims
from shared.privacy.claims import Correction
from tests.support.eventually import eventually_async
from tests.support.facts import RECEIVED_AT, verified
from tests.support.fulfillment_board import EMAIL, Board
from tests.support.shop import CUT_OFF, NAME, Shop, sqlite_shop, subject

KEY = "0123456789abcdef"
RENAMED = Correction(what="name", should_be="Adah Kanary", is_now=NAME)
NOW = RECEIVED_AT + timedelta(hours=2)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    opened = await sqlite_shop(tmp_path).open()
    yield opened
    await opened.close()


async def disputed(shop: Shop) -> Frozen:
    frozen = await shop.adapter().find(subject(), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    return replace(frozen, corrections=(RENAMED,))


@pytest.mark.parametrize("point", ["after_calling", "before_finish"])
async def test_one_whose_answer_was_lost_is_read_back_and_not_made_twice(shop: Shop, point: str) -> None:
    await shop.run("CREATE TABLE changes (id INTEGER)")
    await shop.run(
        "CREATE TRIGGER counted AFTER UPDATE ON customers BEGIN INSERT INTO changes VALUES (new.id); END"
    )
    system = shop.system()
    entry = replace(entry_of(system), business="cascadia")
    board = Board(shop.home, NOW, Connected(entry, system.datamap, shop.adapter(system)))
    await board.receive("correct", Claims(email=EMAIL, corrections=(RENAMED,)))
    board.hear(verified("correct"))
    board.crash_at = point

    await board.run_all()

    (end,) = board.fulfilled
    # The telephone number was not proved, so the account that it leads to is reached through the merged one.
    assert (end.resolution, end.systems[0].corrected) == ("complete", 2)
    assert await shop.rows("changes") == [("1",), ("2",)]


async def test_a_database_that_keeps_something_else_than_it_was_told_keeps_all_as_it_was(shop: Shop) -> None:
    shout = "UPDATE customers SET full_name = upper(full_name) WHERE id = new.id"
    await shop.run(f"CREATE TRIGGER shouts AFTER UPDATE OF full_name ON customers BEGIN {shout}; END")
    before = await shop.content()

    outcome = await shop.adapter().act("correct", await disputed(shop), cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "refused"
    assert await shop.content() == before


async def test_what_the_database_itself_set_after_it_was_read_is_not_overwritten(shop: Shop) -> None:
    """A lock keeps others away, but no trigger: this one changes a row that was read, and is still to be corrected."""
    await shop.run("UPDATE customers SET full_name = 'Ada C.' WHERE id = 2")
    married = "UPDATE customers SET full_name = 'Ada Married' WHERE id = 2"
    await shop.run(
        f"CREATE TRIGGER tells AFTER UPDATE OF full_name ON customers WHEN new.id = 1 BEGIN {married}; END"
    )
    frozen, before = await disputed(shop), await shop.rows("customers")
    frozen = replace(frozen, corrections=(Correction(what="name", should_be="Adah Kanary"),))

    outcome = await shop.adapter().act("correct", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert outcome == NeedsPerson("refused", "customers does not keep what should be there as it was said")
    assert await shop.rows("customers") == before


@pytest.mark.connected
async def test_nobody_else_can_change_a_row_between_its_reading_and_its_change(postgresql_only: Shop) -> None:
    """Else whoever did would have a correction refused that could have been made, or lose what they wrote into JSON."""
    shop = postgresql_only
    await shop.run(
        "CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN PERFORM pg_advisory_xact_lock(17); RETURN NULL; END$$"
    )
    await shop.run("CREATE TRIGGER waits BEFORE UPDATE ON customers EXECUTE FUNCTION waits()")
    frozen = await disputed(shop)
    async with asyncio.TaskGroup() as group, shop.owner() as owner:
        await owner.execute(sa.text("SELECT pg_advisory_lock(17)"))
        act = group.create_task(shop.adapter().act("correct", frozen, cut_off=CUT_OFF, idempotency_key=KEY))
        waiting = sa.text("SELECT count(*) FROM pg_locks WHERE objid = 17 AND NOT granted")
        await eventually_async(lambda: owner.scalar(waiting))

        free = await owner.execute(sa.text("SELECT id FROM customers ORDER BY id FOR UPDATE SKIP LOCKED"))

        assert [row.id for row in free] == [3]
        await owner.execute(sa.text("SELECT pg_advisory_unlock(17)"))
    assert isinstance(act.result(), Done)


async def test_a_column_that_the_database_itself_links_rows_by_is_for_a_person(shop: Shop) -> None:
    await shop.run("CREATE UNIQUE INDEX one_name ON products (title)")
    await shop.run("DROP TABLE newsletter")
    await shop.run(
        "CREATE TABLE newsletter (id INTEGER PRIMARY KEY, email_sha256 TEXT, unsubscribed BOOLEAN, created_at TEXT,"
        " FOREIGN KEY (email_sha256) REFERENCES products (title))"
    )
    system = shop.system()
    products = system.datamap.collections["products"]
    titled = replace(products.fields["title"], corrected_as=("name",))
    fields = {**products.fields, "title": titled}
    collections = {**system.datamap.collections, "products": replace(products, fields=fields)}
    linked = system.model_copy(update={"datamap": replace(system.datamap, collections=collections)})
    frozen = Frozen({"products": ((7,),)}, corrections=(Correction(what="name", should_be="x"),))

    outcome = await shop.adapter(linked).act("correct", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert outcome == NeedsPerson("refused", "products.title leads from one row to another")


async def test_several_peoples_corrections_at_once_are_made_one_by_one(shop: Shop) -> None:
    frozen, adapter = await disputed(shop), shop.adapter()
    bob = Frozen({"customers": ((3,),)}, corrections=(Correction(what="name", should_be="Robert"),))
    orders = [Order(frozen, CUT_OFF, KEY), Order(bob, CUT_OFF, KEY)]

    outcomes = await adapter.act_many("correct", orders)  # type: ignore[attr-defined]

    counts = [one.receipt.datasets for one in outcomes if isinstance(one, Done)]
    assert counts == [(DatasetCount("customers", corrected=2),), (DatasetCount("customers", corrected=1),)]
    assert [row[3] for row in await shop.rows("customers")] == ["Adah Kanary", "Adah Kanary", "Robert"]


async def test_whose_correction_a_person_has_to_look_at_is_no_doubt_about_anybody_elses(shop: Shop) -> None:
    await shop.run("UPDATE customers SET full_name = 'Robert' WHERE id = 3")
    bob = Frozen({"customers": ((3,),)}, corrections=(Correction(what="name", should_be="Robert"),))
    other = Frozen({"customers": ((3,),)}, corrections=(RENAMED,))

    proofs = await shop.adapter().prove_many("correct", [Order(other, CUT_OFF), Order(bob, CUT_OFF)])  # type: ignore[attr-defined]

    assert isinstance(proofs[0], Unknown)
    assert proofs[1] == Gone({"customers": 1})
