"""What a check says of nested fields: names that nobody mapped, columns that cannot be opened, rows of no JSON."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from services.fulfillment.adapters.sql import open_adapter
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import Frozen, NeedsPerson, StillPresent, Subject
from tests.support.shop import CUT_OFF, Shop, sqlite_shop
from tests.support.shop_in_files import FileShop, InFolder

ADA = Subject({"email": "ada@example.com"})


def field(name: str, *inner: dict[str, Any], **meta: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"name": name, "fides_meta": meta} if meta else {"name": name}
    return {**said, "fields": list(inner)} if inner else said


KEY = field("id", primary_key=True)
EMAIL = {**field("email", identity="email"), "data_categories": ["user.contact.email"]}


def mapped(shop: Shop, *fields: dict[str, Any], **habeas: Any) -> System:
    meta = {"fides_meta": {"habeas": habeas}} if habeas else {}
    table = {"name": "members", **meta, "fields": [KEY, *fields]}
    written = {"dataset": [{"fides_key": "club", "name": "Club", "collections": [table]}]}
    datamap = read_dataset(written, file="club.yaml", nested=True)
    return shop.system().model_copy(update={"datamap": datamap})


async def alarms(shop: Shop, system: System) -> set[tuple[str, str]]:
    report = await shop.adapter(system).check()
    assert "ada@" not in repr(report)
    return {(each.column, each.problem) for each in report.drift if each.table == "members"}


def in_sqlite(home: Path, kind: str, *documents: str) -> Shop:
    shop = sqlite_shop(home)
    with closing(sqlite3.connect(home / "shop.sqlite")) as database:
        database.execute(f"CREATE TABLE members (id INTEGER PRIMARY KEY, profile {kind})")
        database.executemany("INSERT INTO members (profile) VALUES (?)", [(each,) for each in documents])
        database.commit()
    return shop


KIN = '[{"first_name": "Bo", "age": 1}]'
INSIDE = f'{{"email": "ada@example.com", "home_phone": "5", "kin": {KIN}, "ada@example.com": 1}}'
UNSAID = {("profile.home_phone", "unmapped"), ("profile.kin.first_name", "unmapped")}


async def test_names_inside_that_look_personal_and_are_not_mapped_are_an_alarm_and_no_value_is_told(
    tmp_path: Path,
) -> None:
    shop = in_sqlite(tmp_path, "JSON", INSIDE)

    assert await alarms(shop, mapped(shop, field("profile", EMAIL))) == UNSAID | {("profile.*", "unmapped")}
    await shop.close()


async def test_a_column_of_json_that_the_map_does_not_open_is_looked_into_unless_a_person_has_looked(
    tmp_path: Path,
) -> None:
    shop = in_sqlite(tmp_path, "JSON", INSIDE)
    inside = UNSAID | {("profile.*", "unmapped"), ("profile.email", "unmapped")}
    looked = field("profile", habeas={"shown_because": "our own codes"})

    assert await alarms(shop, mapped(shop)) == inside
    assert await alarms(shop, mapped(shop, field("profile"))) == inside
    assert await alarms(shop, mapped(shop, looked)) == set()
    await shop.close()


@pytest.mark.connected
async def test_on_a_server_too_and_what_may_not_be_read_is_said(postgresql_only: Shop) -> None:
    shop = postgresql_only
    await shop.run("CREATE TABLE members (id integer PRIMARY KEY, profile jsonb, diary json)")
    await shop.run("INSERT INTO members VALUES (1, CAST(:said AS jsonb), '{}')", said=INSIDE)
    await shop.run("CREATE TABLE hidden (id integer PRIMARY KEY, data jsonb)")
    await shop.run("REVOKE SELECT ON hidden FROM PUBLIC")
    await shop.run(
        "DO $$ DECLARE r text; BEGIN FOR r IN SELECT grantee FROM information_schema.role_table_grants"
        " WHERE table_name = 'hidden' AND grantee <> current_user LOOP"
        " EXECUTE format('REVOKE SELECT ON hidden FROM %I', r); END LOOP; END $$"
    )
    system = mapped(shop, field("profile", EMAIL))

    report = await shop.adapter(system).check()

    assert {(d.column, d.problem) for d in report.drift if d.table == "members"} == UNSAID | {
        ("profile.*", "unmapped")
    }
    assert "hidden.data: cannot be read, so nobody knows what is inside" in report.notes


@pytest.mark.connected
async def test_a_field_in_a_column_of_text_stops_every_verb_on_a_server(postgresql_only: Shop) -> None:
    shop = postgresql_only
    await shop.run("CREATE TABLE members (id integer PRIMARY KEY, profile text)")
    system = mapped(shop, field("profile", EMAIL))

    answer = await shop.adapter(system).find(ADA, cut_off=CUT_OFF)

    assert await alarms(shop, system) == {("profile.email", "closed")}
    assert isinstance(answer, NeedsPerson)
    assert "members.profile.email is nested in a column that cannot be looked into" in answer.reason


async def test_rows_that_are_no_json_are_said_at_the_check_and_never_passed_over(tmp_path: Path) -> None:
    shop = in_sqlite(tmp_path, "TEXT", INSIDE, "not at all: ada@example.com")
    system = mapped(shop, field("profile", EMAIL))

    assert await alarms(shop, system) == {("profile", "no_json")}
    assert isinstance(await shop.adapter(system).find(ADA, cut_off=CUT_OFF), NeedsPerson)
    await shop.close()


async def test_what_stands_in_an_array_in_an_array_is_never_taken_for_replaced(tmp_path: Path) -> None:
    shop = in_sqlite(tmp_path, "TEXT", '{"email": "ada@example.com", "kin": [[{"email": "bo@example.com"}]]}')
    kin = field("kin", field("email", habeas={"deidentify": "set_null"}))
    adapter = shop.adapter(mapped(shop, field("profile", EMAIL, kin)))
    frozen = await adapter.find(ADA, cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)

    await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key="0" * 64)

    assert await adapter.prove("delete", frozen, cut_off=CUT_OFF) == StillPresent(1)
    await shop.close()


def test_what_binds_a_statement_must_be_a_column_of_the_table(tmp_path: Path) -> None:
    shop = sqlite_shop(tmp_path)
    system = mapped(
        shop, field("profile", EMAIL, field("no", primary_key=True), field("at")), created_at="profile.at"
    )

    with pytest.raises(MapError) as refused:
        open_adapter(system)

    assert [problem.split(": ")[3:] for problem in refused.value.problems] == [
        ["is nested, and cannot be a primary_key", "name a column of the table"],
        ["is nested, and cannot be created_at", "name a column of the table, or a generated one"],
    ]


async def test_lines_of_json_are_looked_into_as_well(tmp_path: Path) -> None:
    shop = FileShop(tmp_path, InFolder(tmp_path), "jsonl")
    (tmp_path / "files" / "members.jsonl").write_text(f'{{"id": 1, "profile": {INSIDE}}}\n')
    system = mapped(shop, field("profile", EMAIL)).model_copy(update={"settings": {}})

    assert await alarms(shop, system) == UNSAID | {("profile.*", "unmapped")}
    await shop.close()


@pytest.mark.skipif(os.environ.get("HABEAS_TEST_MYSQL") != "mysql", reason="`make stores` starts MySQL")
async def test_mysql_is_refused_for_what_it_answers_is_not_to_be_believed(mysql_only: Shop) -> None:
    shop = mysql_only
    await shop.run("CREATE TABLE members (id integer PRIMARY KEY, profile json)")
    system = mapped(shop, field("profile", EMAIL))

    assert await alarms(shop, system) == {("profile.email", "closed")}
    assert isinstance(await shop.adapter(system).find(ADA, cut_off=CUT_OFF), NeedsPerson)
