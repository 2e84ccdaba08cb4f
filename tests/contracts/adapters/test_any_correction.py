"""What every adapter that can set a column must do with a correction, whatever it reaches."""

from dataclasses import replace

from services.fulfillment.ports import (
    RIGHTS_OF_OTHERS,
    DatasetCount,
    Done,
    Frozen,
    Gone,
    NeedsPerson,
    Retained,
    StillPresent,
    Unknown,
)
from shared.privacy.claims import Correction
from tests.support.shop import AFTER, CUT_OFF, EMAIL, NAME, Shop, subject

KEY = "0123456789abcdef"
RIGHT = "Adah Kanary"
RENAMED = Correction(what="Name", should_be=RIGHT, is_now=NAME)


async def disputed(shop: Shop, *corrections: Correction) -> Frozen:
    frozen = await shop.adapter().find(subject(), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    return replace(frozen, corrections=corrections)


async def test_it_is_made_in_the_persons_own_rows_read_back_and_not_made_twice(shop: Shop) -> None:
    moved = Correction(what="street", should_be="3 New Road")
    frozen, adapter = await disputed(shop, RENAMED, moved), shop.adapter()
    await shop.re_register()
    before = await shop.content()
    assert await adapter.prove("correct", frozen, cut_off=CUT_OFF) == StillPresent(3)

    first = await adapter.act("correct", frozen, cut_off=CUT_OFF, idempotency_key=KEY)
    after = await shop.content()
    again = await adapter.act("correct", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(first, Done), first
    assert isinstance(again, Done), again
    shared = (Retained(RIGHTS_OF_OTHERS, 1),)
    assert first.receipt.datasets == (
        DatasetCount("customers", corrected=2),
        DatasetCount("households", corrected=1, retained=shared),
    )
    assert not any(count.corrected for count in again.receipt.datasets)
    assert await shop.rows("customers") == after["customers"]
    names = {row[0]: row[3] for row in after["customers"]}
    assert names == {"1": RIGHT, "2": RIGHT, "3": "Bob Other", "9": NAME}
    assert [row[:2] for row in after["households"]] == [("10", "1 Shared Way"), ("20", "3 New Road")]
    others = before.keys() - {"customers", "households"}
    assert {name: after[name] for name in others} == {name: before[name] for name in others}
    stored = Frozen.from_json(frozen.to_json())
    assert await adapter.prove("correct", stored, cut_off=CUT_OFF) == Gone({"customers": 2, "households": 1})


async def test_one_row_that_holds_what_nobody_disputes_keeps_all_of_them_as_they_are(shop: Shop) -> None:
    await shop.run("UPDATE customers SET full_name = 'Ada Secret' WHERE id = 2")
    frozen, before, adapter = await disputed(shop, RENAMED), await shop.rows("customers"), shop.adapter()

    refused = await adapter.act("correct", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    why = "customers.full_name holds neither what is disputed nor what it should be"
    assert refused == NeedsPerson("refused", why)
    assert isinstance(await adapter.prove("correct", frozen, cut_off=CUT_OFF), Unknown)
    assert await shop.rows("customers") == before


async def test_a_row_that_is_newer_than_the_cut_off_is_not_corrected_though_its_id_was_frozen(
    shop: Shop,
) -> None:
    """The old row went, and its id was given out anew."""
    frozen, adapter = await disputed(shop, RENAMED), shop.adapter()
    await shop.add("customers", id=9, email=EMAIL, full_name=NAME, created_at=AFTER)
    [new] = shop.expected({"customers": {(9,)}})["customers"]
    reused = replace(frozen, rows={**frozen.rows, "customers": (*frozen.rows["customers"], new)})
    assert await adapter.prove("correct", reused, cut_off=CUT_OFF) == StillPresent(2)

    outcome = await adapter.act("correct", reused, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, Done), outcome
    assert [count.corrected for count in outcome.receipt.datasets] == [2]
    assert {row[0]: row[3] for row in await shop.rows("customers")}["9"] == NAME
    assert isinstance(await adapter.prove("correct", reused, cut_off=CUT_OFF), Gone)
