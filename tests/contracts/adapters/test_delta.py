"""What only Delta tables have: versions to go back to, a log that remembers, and other writers' commits."""

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from services.fulfillment.adapters.delta import open_adapter
from services.fulfillment.adapters.delta.store import DeltaStore
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import Secret, System
from services.fulfillment.ports import Done, Frozen, Gone, StillPresent, Subject
from shared.policy.reading import read_yaml
from tests.support.shop import AFTER, BEFORE, CUT_OFF, EMAIL

KEY = "0123456789abcdef"
MAP = """
dataset:
  - fides_key: lake
    name: Lake
    collections:
      - name: leads
        fides_meta: {habeas: {created_at: bought_at}}
        fields:
          - {name: lead, fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
          - {name: bought_at}
"""
SCHEMA = pa.schema(
    [("lead", pa.string()), ("email", pa.string()), ("bought_at", pa.timestamp("us", tz="UTC"))]
)
ADA: dict[str, Any] = {"lead": "it's", "email": EMAIL.upper(), "bought_at": BEFORE}


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A table of three files: Ada in the first, Bob beside her, and others in the rest."""
    folder = tmp_path / "lake" / "leads"
    others = [{"lead": f"L{n}", "email": f"p{n}@example.com", "bought_at": BEFORE} for n in range(4)]
    for rows in ([ADA, others[0]], others[1:2], others[2:]):
        write_deltalake(folder, pa.Table.from_pylist(rows, SCHEMA), mode="append")
    return folder


def system(home: Path, **more: Any) -> System:
    (home / "address").write_text(str(home / "lake"))
    stated: dict[str, Any] = {
        "system": "lake", "kind": "delta", "business": "shop", "url": Secret(file=home / "address"),
        "dataset": Path("lake.yaml"), "datamap": read_dataset(read_yaml(MAP.encode()), file="lake.yaml"),
    }  # fmt: skip
    return System(**{**stated, **more})


def holding(folder: Path, text: str) -> list[str]:
    """The names of files with these bytes in them."""
    inside = re.compile(re.escape(text.encode()), re.IGNORECASE)
    files = [each for each in folder.rglob("*") if each.is_file()]
    return sorted(each.name for each in files if inside.search(each.read_bytes()))


async def deleted(home: Path) -> tuple[Frozen, Done]:
    adapter = open_adapter(system(home))
    frozen = await adapter.find(Subject({"email": EMAIL}), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen), frozen
    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)
    assert isinstance(outcome, Done), outcome
    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Gone)
    return frozen, outcome


async def test_only_the_file_that_holds_the_person_is_written_anew(lake: Path, tmp_path: Path) -> None:
    before = set(DeltaTable(lake).file_uris())

    _, outcome = await deleted(tmp_path)

    after = set(DeltaTable(lake).file_uris())
    assert outcome.receipt.datasets[0].erased == 1
    assert (len(before - after), len(after - before)) == (1, 1)
    assert sorted(DeltaTable(lake).to_pyarrow_table()["lead"].to_pylist()) == ["L0", "L1", "L2", "L3"]


async def test_neither_an_old_file_nor_the_log_nor_time_travel_brings_the_person_back(
    lake: Path, tmp_path: Path
) -> None:
    assert len(holding(lake, EMAIL)) >= 2  # a file, and the log with its largest and smallest values

    await deleted(tmp_path)

    assert holding(lake, EMAIL) == []
    with pytest.raises(Exception, match=r"."):
        DeltaTable(lake, version=0).to_pyarrow_table()


async def test_an_old_file_that_is_still_there_is_no_proof_and_the_next_attempt_removes_it(
    lake: Path, tmp_path: Path
) -> None:
    adapter = open_adapter(system(tmp_path))
    frozen = await adapter.find(Subject({"email": EMAIL}), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    DeltaTable(lake).delete(f"lower(email) = '{EMAIL}'")  # and the attempt died before it took away the rest

    assert await adapter.prove("delete", frozen, cut_off=CUT_OFF) == StillPresent(1)
    await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)
    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Gone)
    assert holding(lake, EMAIL) == []


async def test_a_row_that_was_written_anew_since_it_was_read_is_not_erased(
    lake: Path, tmp_path: Path
) -> None:
    store = DeltaStore(system(tmp_path), {"leads": "leads"})
    rows = await store["leads"].held([("it's",)])
    DeltaTable(lake).delete("lead = 'it''s'")
    write_deltalake(lake, pa.Table.from_pylist([{**ADA, "bought_at": AFTER}], SCHEMA), mode="append")

    assert (len(rows), await store["leads"].erase(rows)) == (1, 0)
    assert "it's" in DeltaTable(lake).to_pyarrow_table()["lead"].to_pylist()


async def test_rows_that_become_different_things_keep_what_is_another_rows_to_become(
    lake: Path, tmp_path: Path
) -> None:
    store = DeltaStore(system(tmp_path), {"leads": "leads"})
    keys = [("it's",), ("L0",), ("L1",)]
    rows = await store["leads"].held(keys)
    before = {row["lead"]: row for row in DeltaTable(lake).to_pyarrow_table().to_pylist()}
    wanted: dict[str, dict[str, Any]] = {
        "it's": {"email": "new@example.com", "bought_at": AFTER}, "L0": {"bought_at": AFTER},
    }  # fmt: skip

    changed = await store["leads"].change(rows, lambda row: wanted.get(row["lead"], {}))

    after = {row["lead"]: row for row in DeltaTable(lake).to_pyarrow_table().to_pylist()}
    assert changed == 2
    assert after == {lead: {**row, **wanted.get(lead, {})} for lead, row in before.items()}


async def test_another_writers_file_on_its_way_is_left_alone(lake: Path, tmp_path: Path) -> None:
    uncommitted = lake / "part-on-its-way.parquet"
    uncommitted.write_bytes(b"not committed yet")

    await deleted(tmp_path)

    assert uncommitted.exists()


def test_a_table_outside_of_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MapError, match="must lie below the address"):
        open_adapter(system(tmp_path, settings={"table.leads": "../other"}))
