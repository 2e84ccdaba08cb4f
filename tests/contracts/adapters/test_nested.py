"""Nested fields and arrays, in everything that looks into documents: found, shown, replaced, flagged and proved."""

import json
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from services.fulfillment.bulk import Order, act_many, prove_many
from services.fulfillment.datamap.replacing import HASHED
from services.fulfillment.ports import (
    RIGHTS_OF_OTHERS,
    Adapter,
    Done,
    Export,
    Frozen,
    Gone,
    NeedsPerson,
    Retained,
    StillPresent,
    Subject,
)
from shared.privacy.claims import Correction
from tests.contracts.adapters.conftest import mysql_shop, postgresql_shop
from tests.support.nested_columns import InDeltaTables, InParquet
from tests.support.nested_worlds import ADA, BOB, RECORDS, InLines, InPlace, InSql, World, exact
from tests.support.shop import CUT_OFF, sqlite_shop
from tests.support.shop_in_files import InBucket, InFolder
from tests.support.shop_in_mongodb import InMongoDB
from tests.support.shop_in_redis import InRedis

KEY = "0" * 64
FOUND = {
    "people": {1, 2},
    "households": {20},
    "tickets": {30, 31},
    "letters": {40, 41},
    "alerts": {50, 51},
}
REDIS_KEYS = {f"keys.{name}": f"{name}:{{id}}" for name in RECORDS}


def in_sqlite(_request: pytest.FixtureRequest, home: Path) -> World:
    shop = sqlite_shop(home)
    return InSql(home, f"sqlite+aiosqlite:///{home}/shop.sqlite", shop.adapter_url, "TEXT")


_WORLDS: dict[str, Callable[[pytest.FixtureRequest, Path], World]] = {
    "sqlite": in_sqlite,
    "jsonl": lambda _request, home: InLines(home, InFolder(home)),
    "s3": lambda request, home: InLines(home, InBucket(request.getfixturevalue("s3"))),
    "mongodb": lambda request, home: InPlace(home, InMongoDB(request.getfixturevalue("mongodb"))),
    "redis": lambda request, home: InPlace(home, InRedis(request.getfixturevalue("redis")), REDIS_KEYS),
}
_JSONB, _JSON = [pytest.param(kind, marks=pytest.mark.connected) for kind in ("jsonb", "json")]
# MySQL has no way of its own yet: what is nested there is refused.
_MYSQL = ["mysql"] if os.environ.get("HABEAS_TEST_MYSQL") == "mariadb" else []
_LOOSE = [*(name for name in _WORLDS if name != "s3"), _JSONB, *_MYSQL]
_TYPED: dict[str, Callable[[Path], World]] = {
    "parquet": lambda home: InParquet(home, InFolder(home)),
    "delta": InDeltaTables,
}
loose = pytest.mark.parametrize("world", _LOOSE, indirect=True)
"""Where each record may have a shape of its own; what columns with types make of theirs stands in a file of its own."""
everywhere = pytest.mark.parametrize("world", [*_WORLDS, _JSONB, _JSON, *_MYSQL], indirect=True)
"""Also where only the bytes are kept otherwise: in a bucket, and in PostgreSQL's other type."""


@pytest.fixture(params=[*_LOOSE, *_TYPED])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """The town, fresh for each test."""
    if request.param in _WORLDS:
        opened = await _WORLDS[request.param](request, tmp_path).open()
    elif request.param in _TYPED:
        opened = await _TYPED[request.param](tmp_path).open()
    else:
        opened = await (await _on_a_server(request, tmp_path)).open()
    yield opened
    await opened.close()


async def _on_a_server(request: pytest.FixtureRequest, home: Path) -> World:
    on_mysql = request.param == "mysql"
    administrator: sa.URL = request.getfixturevalue("mysql_owner" if on_mysql else "postgresql")
    shop = await (mysql_shop if on_mysql else postgresql_shop)(administrator, home)
    owner = administrator.set(database=sa.make_url(shop.adapter_url).database)
    kind = "JSON" if on_mysql else str(request.param)
    return InSql(home, owner.render_as_string(hide_password=False), shop.adapter_url, kind)


async def found(world: World, subject: Subject = ADA) -> Frozen:
    frozen = await world.adapter().find(subject, cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen), frozen
    return frozen


async def done(adapter: Adapter, right: str, frozen: Frozen) -> Done:
    outcome = await adapter.act(right, frozen, cut_off=CUT_OFF, idempotency_key=KEY)
    assert isinstance(outcome, Done), outcome
    return outcome


def numbers(tables: Any) -> dict[str, set[int]]:
    return {name: {int(key[0]) for key in keys} for name, keys in tables.items()}


async def test_rows_are_found_by_values_inside_them_and_led_to_by_others(world: World) -> None:
    frozen = await found(world)

    assert numbers(frozen.rows) == FOUND
    assert numbers(frozen.shared) == {"households": {10}}


@loose
async def test_an_answer_shows_nested_fields_under_their_own_names_and_describes_the_card(
    world: World,
) -> None:
    export = await world.adapter().export(await found(world), cut_off=CUT_OFF)

    assert isinstance(export, Export)
    data = {each.dataset: each for each in export.datasets}
    tickets = {int(row["id"]): row for row in data["tickets"].rows}
    assert tickets[30]["data.owner.id"] == 1
    assert tickets[30]["data.contacts.email"] == ["ada.canary@example.com"]
    assert tickets[30]["data.contacts.name"] == ["Ada Canary", None]
    assert tickets[31]["data.contacts.email"] == "canary@example.com"
    assert data["tickets"].categories["data.contacts.email"] == "identifiers"
    assert [(each.column, each.kind, each.count) for each in data["people"].withheld] == [
        ("profile.card", "financial_account_number", 1)
    ]
    assert "4111" not in str([row for each in export.datasets for row in each.rows])


@everywhere
async def test_a_deletion_replaces_values_where_they_stand_and_leaves_all_beside_them(world: World) -> None:
    before = await world.read()

    receipt = (await done(world.adapter(), "delete", await found(world))).receipt

    after = await world.read()
    assert [row["id"] for row in after["people"]] == [3]
    assert [row["id"] for row in after["alerts"]] == [52]
    [first, second, others] = [row["data"] for row in after["tickets"]]
    hashed = [first["contacts"][0].pop("email"), second["contacts"].pop("email")]
    assert all(each.startswith(HASHED) for each in hashed)
    assert first == exact(json.dumps(before["tickets"][0]["data"], default=float)) | {
        "owner": {"id": None},
        "cost": before["tickets"][0]["data"]["cost"],
        "contacts": [{"name": "removed", "seat": "1A"}, {"seat": "1B", "name": "removed"}, "by telephone"],
        "phones": [None, None],
    }
    assert second == {"owner": {"id": None}, "contacts": {"seat": "2A"}, "phones": None}
    assert others == before["tickets"][2]["data"]
    assert [row["data"] for row in after["letters"]] == [
        {"readers": [None, None], "body": "removed", "signed": {"name": None, "at": "x"}},
        {"readers": [None], "body": ["removed", "removed"], "signed": [{"name": None}, {}]},
        before["letters"][2]["data"],
    ]
    counts = {each.dataset: each for each in receipt.datasets}
    assert (counts["tickets"].deidentified, counts["letters"].deidentified) == (2, 2)
    assert (counts["people"].erased, counts["alerts"].erased, counts["households"].erased) == (2, 2, 1)
    assert counts["households"].retained == (Retained(RIGHTS_OF_OTHERS, 1),)


async def test_the_proof_reads_nested_values_and_a_second_time_nothing_is_done(world: World) -> None:
    frozen, adapter = await found(world), world.adapter()
    assert await adapter.prove("delete", frozen, cut_off=CUT_OFF) == StillPresent(9)
    await done(adapter, "delete", frozen)
    between = await world.read()

    again = (await done(adapter, "delete", frozen)).receipt

    assert not any(each.erased or each.deidentified for each in again.datasets)
    assert await world.read() == between
    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Gone)


@everywhere
async def test_an_opt_out_is_put_into_the_profile_and_proved_also_where_it_was_not_yet(world: World) -> None:
    frozen, adapter = await found(world), world.adapter()
    before = await world.read()
    assert isinstance(await adapter.prove("opt_out", frozen, cut_off=CUT_OFF), StillPresent)

    await done(adapter, "opt_out", frozen)

    profiles = [row["profile"] for row in (await world.read())["people"]]
    assert profiles[0] == before["people"][0]["profile"] | {"prefs": {"no_sale": True}}
    assert profiles[1]["prefs"] == {"no_sale": True, "theme": "dark"}
    assert profiles[2] == before["people"][2]["profile"]
    assert isinstance(await adapter.prove("opt_out", frozen, cut_off=CUT_OFF), Gone)


async def test_many_people_are_done_together_as_each_would_be_alone(world: World) -> None:
    adapter = world.adapter()
    listed = [Order(await found(world, each), CUT_OFF, KEY) for each in (ADA, BOB)]

    outcomes = await act_many(adapter, "delete", listed)

    assert all(isinstance(one, Done) for one in outcomes), outcomes
    proofs = await prove_many(adapter, "delete", listed)
    assert all(isinstance(one, Gone) for one in proofs), proofs
    left = str(await world.read())
    assert "canary" not in left.lower()
    assert "bob@" not in left


async def test_a_healthy_town_passes_its_check(world: World) -> None:
    report = await world.adapter().check()

    assert report.ok, report
    assert not report.drift


async def test_the_one_value_at_a_path_is_corrected_and_of_several_a_person_says_which_is_wrong(
    world: World,
) -> None:
    adapter = world.adapter()
    frozen = await adapter.find(ADA, cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    moved = replace(frozen, corrections=(Correction(what="street", should_be="3 New Road"),))
    named = replace(frozen, corrections=(Correction(what="contact", should_be="Adah"),))
    before = await world.read()

    refused = await adapter.act("correct", named, cut_off=CUT_OFF, idempotency_key=KEY)
    untouched = await world.read()
    done = await adapter.act("correct", moved, cut_off=CUT_OFF, idempotency_key=KEY)

    assert refused == NeedsPerson(
        "schema", "tickets.data.contacts.name holds several values: which is wrong?"
    )
    assert untouched == before
    assert isinstance(done, Done), done
    after = await world.read()
    assert [row["data"]["street"] for row in after["households"]] == ["1 Shared Way", "3 New Road"]
    assert {**after, "households": before["households"]} == before
    assert await adapter.prove("correct", moved, cut_off=CUT_OFF) == Gone({"households": 1})
