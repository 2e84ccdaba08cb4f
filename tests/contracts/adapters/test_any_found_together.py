"""Many people searched and shown together, in everything that reads once for all: nobody gets what is not theirs.

Each of these is a condition that a person searched alone is bound by, and that could be lost where many are.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest
import yaml

from services.fulfillment.bulk import ReadsMany, Shown, Sought
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import Adapter, Export, Frozen, Subject
from tests.support.shop import AFTER, CUT_OFF, EMAIL, Shop, subject
from tests.support.shop_in_documents import MAP

KINDS = [pytest.param("postgresql", marks=pytest.mark.connected), "parquet", "delta"]
BOB = Subject({"email": "bob@example.com"})
NOBODY = Subject({"email": "nobody@example.com"})

Collections = Mapping[str, Any]


def mapped(shop: Shop, change: Callable[[Collections], None]) -> System:
    """The shop with a map that says something else of it."""
    said = yaml.safe_load(MAP.read_text())
    change({one["name"]: one for one in said["dataset"][0]["collections"]})
    return shop.system().model_copy(update={"datamap": read_dataset(said, file="shop.yaml")})


def column_of(collections: Collections, name: str, field: str) -> Any:
    return next(one for one in collections[name]["fields"] if one["name"] == field)


async def found(adapter: Adapter, *sought: Sought) -> list[Frozen]:
    """What they find together, which is what each finds alone."""
    assert isinstance(adapter, ReadsMany)
    together = await adapter.find_many(sought)
    alone = [await adapter.find(one, cut_off=until) for one, until in sought]
    assert [one and one.digest() for one in together] == [
        one.digest() for one in alone if isinstance(one, Frozen)
    ]
    return [one for one in together if one is not None]


@pytest.mark.parametrize("shop", KINDS, indirect=True)
async def test_rows_that_the_map_says_are_anothers_are_found_for_nobody(shop: Shop) -> None:
    """To one ticket her customer's number leads, to the other her address."""

    def only(body: str) -> System:
        return mapped(shop, lambda each: each["tickets"]["fides_meta"]["habeas"].update(where={"body": body}))

    for body, number in (("It is Ada Canary.", 200), ("Me again.", 201)):
        ada, bob = await found(shop.adapter(only(body)), (subject(), CUT_OFF), (BOB, CUT_OFF))

        assert ada.rows["tickets"] == ((number,),)
        assert "tickets" not in bob.rows


@pytest.mark.parametrize("shop", KINDS, indirect=True)
async def test_a_column_that_one_asks_by_any_spelling_and_another_by_one_is_not_asked_as_one(
    shop: Shop,
) -> None:
    """After a look at the invoices both ask for tickets: one by an address, one by what an invoice says it is."""
    written = "Ada.Canary@Example.com"

    def by_card(collections: Collections) -> None:
        for name, field in (("customers", "email"), ("newsletter", "email_sha256")):
            column_of(collections, name, field).pop("fides_meta")
        to_tickets = {"dataset": "shop", "field": "tickets.requester_email", "direction": "to"}
        column_of(collections, "invoices", "billed_email")["fides_meta"] = {"references": [to_tickets]}
        card = {"data_categories": ["user.unique_id"], "fides_meta": {"identity": "a_card"}}
        column_of(collections, "invoices", "card_number").update(card)

    await shop.run(f"UPDATE invoices SET card_number = 'b-17', billed_email = '{written}' WHERE id = 101")  # noqa: S608 - ours
    await shop.run(f"UPDATE tickets SET requester_email = '{written}' WHERE id = 202")  # noqa: S608 - ours

    by_address, by_bill = await found(
        shop.adapter(mapped(shop, by_card)),
        (Subject({"a_card": "b-18", "email": EMAIL}), CUT_OFF),
        (Subject({"a_card": "b-17"}), CUT_OFF),
    )

    assert {(201,), (202,)} <= {*by_address.rows["tickets"]}
    assert (202,) in by_bill.rows["tickets"]
    assert (201,) not in by_bill.rows["tickets"]


@pytest.mark.parametrize("shop", KINDS, indirect=True)
async def test_among_many_each_is_bound_by_a_cut_off_of_their_own_and_gets_their_own(shop: Shop) -> None:
    await shop.add("customers", id=9, email=EMAIL, full_name="Ada Canary", created_at=AFTER)
    adapter = shop.adapter()

    late, bob, nobody, early = await found(
        adapter, (subject(), AFTER), (BOB, CUT_OFF), (NOBODY, AFTER), (subject(), CUT_OFF)
    )
    wanted = [(late, AFTER), (bob, CUT_OFF), (late, CUT_OFF), (nobody, AFTER), (early, AFTER)]

    assert {*late.rows["customers"]} - {*early.rows["customers"]} == {(9,)}
    assert not nobody.rows
    assert await shown(adapter, *wanted) == [{1, 2, 9}, {3}, {1, 2}, set(), {1, 2}]


async def shown(adapter: Adapter, *wanted: tuple[Frozen, datetime]) -> list[set[Any]]:
    """The ids of the customers that each is shown; who cannot be shown them with the others is asked alone."""
    assert isinstance(adapter, ReadsMany)
    together = await adapter.export_many([Shown(*each) for each in wanted])
    assert any(together)
    exports = [
        one or await adapter.export(frozen, cut_off=until)
        for one, (frozen, until) in zip(together, wanted, strict=True)
    ]
    return [
        {row["id"] for data in one.datasets if data.dataset == "customers" for row in data.rows}
        for one in exports
        if isinstance(one, Export)
    ]
