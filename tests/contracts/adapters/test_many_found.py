"""Many people searched and read together on a server: each gets what they would have got alone."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.fulfillment.adapters.sql import SqlAdapter, together
from services.fulfillment.bulk import Gathered, Shown, Sought
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import Limits
from services.fulfillment.ports import Adapter, Frozen, NeedsPerson, Subject
from services.fulfillment.too_much import rows_of_one
from shared.policy.reading import read_yaml
from tests.support.shop import AFTER, BEFORE, CARD, CUT_OFF, ERASED, ORDER_NEW, SHARED, Shop, subject

pytestmark = pytest.mark.connected

CODES = """
dataset:
  - fides_key: codes
    name: Codes
    meta: {habeas: {source: a test, purpose: a test}}
    collections:
      - name: codes
        fields:
          - {name: id, fides_meta: {primary_key: true}}
          - {name: code, data_categories: [user.unique_id], fides_meta: {identity: customer_id}}
"""
BOB = Subject({"email": "bob@example.com", "phone": "530 555 0199"})
LATER = BEFORE + timedelta(seconds=1)
ALL: Sequence[Sought] = [
    (subject(), CUT_OFF),
    (BOB, CUT_OFF + timedelta(seconds=1)),
    (Subject({"email": "nobody@example.com"}), CUT_OFF),
    (Subject({"phone": "+1 530 555 0142"}), CUT_OFF),
]


def many(shop: Shop, limits: Limits | None = None) -> SqlAdapter:
    adapter = shop.adapter(shop.system(limits=limits))
    assert isinstance(adapter, SqlAdapter)
    return adapter


async def alone(adapter: Adapter) -> list[Frozen]:
    found = [await adapter.find(one, cut_off=until) for one, until in ALL]
    assert all(isinstance(one, Frozen) for one in found)
    return [one for one in found if isinstance(one, Frozen)]


async def test_what_is_found_together_is_what_each_finds_alone(postgresql_only: Shop) -> None:
    adapter = many(postgresql_only)

    found = await adapter.find_many(ALL)

    assert [one and one.digest() for one in found] == [one.digest() for one in await alone(adapter)]
    assert found[0] is not None
    assert {name: set(keys) for name, keys in found[0].shared.items()} == SHARED


async def test_what_is_shown_together_is_what_each_is_shown_alone(postgresql_only: Shop) -> None:
    adapter = many(postgresql_only, Limits(connect_seconds=2))
    wanted = [Shown(one, until) for one, (_, until) in zip(await alone(adapter), ALL, strict=True)]
    wanted += [Shown(one.frozen, one.cut_off, since) for one in wanted for since in (BEFORE, LATER)]

    shown = await adapter.export_many(wanted)

    assert shown == [await adapter.export(one.frozen, cut_off=one.cut_off, since=one.since) for one in wanted]
    assert len({data.count for one in shown if one for data in one.datasets}) > 1
    assert any(data.withheld for one in shown if one for data in one.datasets)
    assert CARD not in str([data.rows for one in shown if one for data in one.datasets])


async def test_each_ones_own_cut_off_holds(postgresql_only: Shop) -> None:
    await postgresql_only.re_register()

    before, after = await many(postgresql_only).find_many([(subject(), CUT_OFF), (subject(), AFTER)])

    assert before is not None
    assert after is not None
    new = {name: set(after.rows[name]) - set(before.rows[name]) for name in ERASED}
    assert new == {
        "customers": {(9,)},
        "orders": {(ORDER_NEW,)},
        "order_lines": {(1, ORDER_NEW)},
        "newsletter": {(309,)},
    }


async def test_of_whom_too_much_is_held_goes_to_a_person_and_the_others_are_found(
    postgresql_only: Shop,
) -> None:
    gathered = Gathered(many(postgresql_only, Limits(max_rows=7, connect_seconds=2)))

    ada, bob = await asyncio.gather(*(gathered.find(one, cut_off=CUT_OFF) for one in (subject(), BOB)))

    assert ada == NeedsPerson("unbounded", rows_of_one(7))
    assert isinstance(bob, Frozen)


async def test_who_has_more_rows_than_one_answer_brings_is_searched_alone(
    postgresql_only: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = many(postgresql_only)
    monkeypatch.setattr(together, "MOST_AT_ONCE", 1)

    assert set(await adapter.find_many(ALL[:2])) == {None}

    gathered = Gathered(adapter)
    found = await asyncio.gather(*(gathered.find(one, cut_off=until) for one, until in ALL))
    assert [isinstance(one, Frozen) and one.digest() for one in found] == [
        one.digest() for one in await alone(adapter)
    ]


@pytest.mark.parametrize(
    ("kind", "held", "longer"),
    [
        ("varchar(6)", "ada-17", "ada-17-b"),
        ("char(6)", "ada-17", "ada-17-b"),
        ("numeric(9, 2)", "17.25", "17.254"),
        ("numeric(9, 2)", "17.25", "1e400"),
    ],
)
async def test_a_longer_value_is_not_cut_to_what_a_column_holds_and_leads_to_nobody(
    postgresql_only: Shop, kind: str, held: str, longer: str
) -> None:
    """Before, the server cut 'ada-17' out of 'ada-17-b', and somebody else's rows were found."""
    await postgresql_only.run(f"CREATE TABLE codes (id int PRIMARY KEY, code {kind})")
    await postgresql_only.run(f"INSERT INTO codes VALUES (1, '{held}')")  # noqa: S608 - our own values
    datamap = read_dataset(read_yaml(CODES.encode()), file="codes.yaml")
    adapter = postgresql_only.adapter(postgresql_only.system().model_copy(update={"datamap": datamap}))
    assert isinstance(adapter, SqlAdapter)
    subjects = [Subject({"customer_id": code}) for code in (held, longer)]

    alone = [await adapter.find(one, cut_off=CUT_OFF) for one in subjects]
    together = await adapter.find_many([(one, CUT_OFF) for one in subjects])

    assert alone == together == [Frozen({"codes": ((1,),)}), Frozen({})]
