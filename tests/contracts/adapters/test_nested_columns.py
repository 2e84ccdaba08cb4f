"""Nested columns of Parquet files and Delta tables: values replaced where they stand, all beside them as it was."""

import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from services.fulfillment.adapters.delta import open_adapter
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.replacing import HASHED
from services.fulfillment.ports import (
    Done,
    Drift,
    Export,
    Frozen,
    Gone,
    NeedsPerson,
    StillPresent,
    Subject,
)
from tests.support.nested_columns import AT, SCHEMAS, TYPED, InDeltaTables, InParquet
from tests.support.nested_worlds import ADA, World
from tests.support.shop import CUT_OFF
from tests.support.shop_in_files import InFolder

KEY = "0" * 64
_WORLDS: dict[str, Callable[[Path], World]] = {
    "parquet": lambda home: InParquet(home, InFolder(home)),
    "delta": InDeltaTables,
}


@pytest.fixture(params=_WORLDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    opened = await _WORLDS[request.param](tmp_path).open()
    yield opened
    await opened.close()


async def found(world: World, subject: Subject = ADA) -> Frozen:
    frozen = await world.adapter().find(subject, cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen), frozen
    return frozen


async def acted(world: World, right: str) -> Frozen:
    frozen = await found(world)
    outcome = await world.adapter().act(right, frozen, cut_off=CUT_OFF, idempotency_key=KEY)
    assert isinstance(outcome, Done), outcome
    assert isinstance(await world.adapter().prove(right, frozen, cut_off=CUT_OFF), Gone)
    return frozen


def schema(world: World, name: str) -> Any:
    if isinstance(world, InParquet):
        return world.file(name).schema_arrow
    return DeltaTable(world.home / "lake" / name).to_pyarrow_dataset().schema


async def test_a_deletion_replaces_values_in_structs_and_lists_and_leaves_all_beside_them(
    world: World,
) -> None:
    before = await world.read()

    await acted(world, "delete")

    after = await world.read()
    assert [row["id"] for row in after["people"]] == [3, 4]
    assert [row["id"] for row in after["alerts"]] == [52]
    first, second, *others = [row["data"] for row in after["tickets"]]
    assert first["contacts"][0].pop("email").startswith(HASHED)
    assert first == before["tickets"][0]["data"] | {
        "owner": {"id": None},
        "phones": [None, None],
        "contacts": [
            {"name": "removed", "seat": "1A", "since": AT},
            None,
            {"email": None, "name": "removed", "seat": "1B", "since": AT},
        ],
    }
    assert second == before["tickets"][1]["data"] | {"owner": {"id": None}}
    assert others == [row["data"] for row in before["tickets"][2:]]
    assert [row["data"] for row in after["letters"]] == [
        {"readers": [None, None], "body": "removed", "signed": [{"name": None, "at": AT}]},
        {"readers": [None], "body": "removed", "signed": [{"name": None, "at": None}, {"name": None, "at": AT}]},
        before["letters"][2]["data"],
    ]  # fmt: skip
    assert "canary" not in str(after).lower()


async def test_a_schema_stays_what_it_was_to_the_last_type(world: World) -> None:
    before = {name: schema(world, name) for name in SCHEMAS}

    await acted(world, "delete")

    assert {name: schema(world, name) for name in SCHEMAS} == before


async def test_an_answer_shows_nested_values_under_their_paths_and_describes_the_card(world: World) -> None:
    export = await world.adapter().export(await found(world), cut_off=CUT_OFF)

    assert isinstance(export, Export)
    data = {each.dataset: each for each in export.datasets}
    tickets = {int(row["id"]): row for row in data["tickets"].rows}
    assert tickets[30]["data.owner.id"] == 1
    assert tickets[30]["data.contacts.email"] == ["ada.canary@example.com", None]
    assert tickets[30]["data.phones"] == ["530 555 0142", None]
    assert tickets[31]["data.contacts.email"] is None
    assert [(each.column, each.count) for each in data["people"].withheld] == [("profile.card", 1)]
    assert "4111" not in str([row for each in export.datasets for row in each.rows])


async def test_an_opt_out_is_set_in_a_struct_also_where_there_was_none(world: World) -> None:
    before = await world.read()

    await acted(world, "opt_out")

    after = await world.read()
    profiles = [row["profile"] for row in after["people"]]
    assert profiles[0] == before["people"][0]["profile"] | {"prefs": {"no_sale": True, "theme": None}}
    assert profiles[1] == before["people"][1]["profile"] | {"prefs": {"no_sale": True, "theme": "dark"}}
    assert profiles[2:] == [row["profile"] for row in before["people"][2:]]


async def test_what_only_an_old_file_of_a_table_holds_inside_is_no_proof(tmp_path: Path) -> None:
    world = await InDeltaTables(tmp_path).open()
    frozen = await found(world)
    await acted(world, "delete")
    await world.write({"tickets": TYPED["tickets"]})
    DeltaTable(tmp_path / "lake" / "tickets").delete("id = 30")

    assert await world.adapter().prove("delete", frozen, cut_off=CUT_OFF) == StillPresent(3)
    await world.close()


NANOSECONDS = pa.timestamp("ns")
WORD = pa.dictionary(pa.int32(), pa.string())
EXACT = pa.schema(
    [
        ("id", pa.int64()),
        (
            "profile",
            pa.struct(
                [("email", pa.string()), ("seen", NANOSECONDS), ("town", WORD), ("codes", pa.list_(WORD))]
            ),
        ),
    ]
)
PRECISE: list[dict[str, Any]] = [
    {"id": 1, "profile": {"email": "ada.canary@example.com", "seen": 1, "town": "Canary Row", "codes": ["ada"]}},
    {"id": 2, "profile": {"email": "bob@example.com", "seen": 1234567890123456789, "town": "Bo", "codes": ["b"]}},
]  # fmt: skip
EMAIL = {"name": "email", "data_categories": ["user.contact.email"], "fides_meta": {"identity": "email"}}


def mapped(world: World, *fields: dict[str, Any]) -> Any:
    """The system with one table of these fields."""
    key = {"name": "id", "fides_meta": {"primary_key": True}}
    people = {"name": "people", "fields": [key, *fields]}
    written = {"dataset": [{"fides_key": "town", "name": "Town", "collections": [people]}]}
    return world.system().model_copy(update={"datamap": read_dataset(written, file="town.yaml", nested=True)})


def within(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"name": "profile", "fields": list(fields)}


def hidden(name: str) -> dict[str, Any]:
    return {"name": name, "fides_meta": {"habeas": {"deidentify": "set_null"}}}


def in_parquet(home: Path, table: Any, **options: Any) -> InParquet:
    world, out = InParquet(home, InFolder(home)), io.BytesIO()
    pq.write_table(table, out, **options)
    world.place.write("people.parquet", out.getvalue())
    return world


@pytest.mark.parametrize(
    "fields", [[EMAIL], [EMAIL, hidden("town"), hidden("codes")]], ids=["erased", "replaced"]
)
async def test_nanoseconds_stay_and_no_dictionary_inside_keeps_a_word_that_went(
    tmp_path: Path, fields: list[dict[str, Any]]
) -> None:
    world = in_parquet(tmp_path, pa.Table.from_pylist(PRECISE, EXACT))
    adapter = world.adapter(mapped(world, within(*fields)))
    frozen = await adapter.find(ADA, cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen), frozen

    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, Done), outcome
    after = world.file("people").read_row_group(0)
    assert after.schema == EXACT
    profiles = after["profile"].combine_chunks().take(pa.array([len(after) - 1]))
    assert profiles.field("seen").cast(pa.int64()).to_pylist() == [1234567890123456789]
    assert profiles.field("town").dictionary.to_pylist() == ["Bo"]
    assert profiles.field("codes").flatten().dictionary.to_pylist() == ["b"]
    assert b"Canary Row" not in world.place.read("people.parquet")


async def test_times_of_twelve_bytes_stay_such(tmp_path: Path) -> None:
    """Older Spark and Hive read no others."""
    schema = pa.schema(
        [("id", pa.int64()), ("profile", pa.struct([("email", pa.string()), ("seen", NANOSECONDS)]))]
    )
    rows = [{"id": each["id"], "profile": {"email": each["profile"]["email"], "seen": 1}} for each in PRECISE]
    world = in_parquet(tmp_path, pa.Table.from_pylist(rows, schema), use_deprecated_int96_timestamps=True)
    adapter = world.adapter(mapped(world, within(EMAIL)))
    frozen = await adapter.find(ADA, cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen), frozen

    await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    stored = world.file("people").schema
    assert [stored.column(place).physical_type for place in range(3)] == ["INT64", "BYTE_ARRAY", "INT96"]
    assert world.file("people").read().num_rows == 1


LABELS = pa.map_(pa.string(), pa.string())


@pytest.mark.parametrize(
    "kind", [LABELS, pa.string(), pa.list_(pa.string(), 2)], ids=["map", "text", "fixed"]
)
async def test_a_path_into_what_has_no_names_is_told_at_the_check_and_no_verb_begins(
    tmp_path: Path, kind: Any
) -> None:
    world = in_parquet(tmp_path, pa.table({"id": pa.array([1]), "profile": pa.nulls(1, kind)}))
    adapter = world.adapter(mapped(world, within(EMAIL)))

    report, answer = await adapter.check(), await adapter.find(ADA, cut_off=CUT_OFF)

    assert report.drift == (Drift("people", "profile.email", "closed"),)
    said = "people.profile.email is nested in a column that cannot be looked into"
    assert answer == NeedsPerson("schema", said)


async def test_what_a_type_cannot_hold_is_for_a_person_and_changes_nothing(world: World) -> None:
    word = {"strategy": "constant", "value": "removed"}
    home = {"name": "home", "fides_meta": {"habeas": {"deidentify": word}}}
    adapter = world.adapter(mapped(world, within(EMAIL, home)))
    frozen = await adapter.find(ADA, cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen), frozen
    before = await world.read()

    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, NeedsPerson), outcome
    assert "removed" not in outcome.reason
    assert await world.read() == before


async def test_a_list_by_which_several_people_are_found_is_said_at_the_check(world: World) -> None:
    report = await world.adapter().check()

    assert report.ok, report
    told = "a row is found by each value of {}, and is shown and erased with all of them"
    assert [note for note in report.notes if "each value" in note] == [
        told.format("alerts.data.sent.to"),
        told.format("alerts.data.to"),
    ]


async def test_names_inside_that_look_personal_and_are_not_mapped_are_an_alarm(world: World) -> None:
    report = await world.adapter(mapped(world, within(EMAIL))).check()

    told = {(each.column, each.problem) for each in report.drift}
    assert ("profile.phone", "unmapped") in told
    assert not any(column == "profile.email" for column, _ in told)


def test_a_nested_key_of_a_delta_table_is_refused(tmp_path: Path) -> None:
    world = InDeltaTables(tmp_path)
    number = {"name": "number", "fides_meta": {"primary_key": True}}

    with pytest.raises(MapError, match=r"profile\.number: is nested, and cannot be a primary_key"):
        open_adapter(mapped(world, within(EMAIL, number)))
