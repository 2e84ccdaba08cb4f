"""Lists of people in Parquet files: by whole columns it is as if each had been alone, row by row."""

import weakref
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.fulfillment.adapters.objects.sought import sought
from services.fulfillment.bulk import Listed, Order, act_many, prove_many
from services.fulfillment.connecting import adapter_of
from services.fulfillment.datamap.systems import System, load_system
from services.fulfillment.ports import Done, Frozen, Gone, Key, Nothing, StillPresent
from shared.clock import SystemClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAP = """
dataset:
  - fides_key: contacts
    collections:
      - name: contacts
        fides_meta: {habeas: {created_at: created_at}}
        fields:
          - {name: id, fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
          - {name: created_at}
"""
SYSTEM = """
system: contacts
kind: objects
business: cascadia
url: {file: url}
dataset: map.yml
settings: {files.contacts: "*.parquet"}
"""
STAMPS = [pa.timestamp("us", "UTC"), pa.timestamp("ms"), pa.timestamp("ns", "America/Los_Angeles")]


def system(folder: Path, *, kind: pa.DataType, stamp: pa.DataType) -> System:
    """Two files of several row groups; row n came to be n minutes after noon, every tenth at no known time."""
    files = folder / "files"
    files.mkdir(parents=True)
    for number, first in enumerate((0, 50)):
        ids = pa.array(range(first, first + 50)).cast(kind)
        at = [None if n % 10 == 0 else NOON + timedelta(minutes=n) for n in range(first, first + 50)]
        plain = at if stamp.tz else [one and one.replace(tzinfo=None) for one in at]
        table = pa.table({"id": ids, "email": ids.cast(pa.string()), "created_at": pa.array(plain, stamp)})
        pq.write_table(table, files / f"{number}.parquet", row_group_size=7)
    (folder / "url").write_text(f"file://{files}")
    (folder / "map.yml").write_text(MAP)
    (folder / "contacts.yaml").write_text(SYSTEM)
    return load_system(folder / "contacts.yaml", home=folder)


def left(folder: Path) -> list[str]:
    tables = [pq.read_table(path) for path in sorted((folder / "files").glob("*.parquet"))]
    return [str(one) for table in tables for one in table["id"].to_pylist()]


def order(keys: Sequence[object], minutes: int) -> Order:
    frozen: tuple[Key, ...] = tuple((key,) for key in keys if isinstance(key, int | str))
    return Order(Frozen({"contacts": frozen}), NOON + timedelta(minutes=minutes))


@pytest.mark.parametrize("stamp", STAMPS, ids=str)
@pytest.mark.parametrize("kind", [pa.int32(), pa.string()], ids=str)
async def test_each_is_bound_by_their_own_cut_off_as_if_they_had_been_alone(
    tmp_path: Path, kind: pa.DataType, stamp: pa.DataType
) -> None:
    name = str if kind == pa.string() else int
    orders = [
        order([name(1), name(60), name(7)], 7),
        order([name(8), name(9)], 8),
        order([name(99), name(500)], 1000),
        order([name(10), name(70)], -5),
    ]
    together = system(tmp_path / "together", kind=kind, stamp=stamp)
    assert sought(together.datamap, "delete", orders) is not None
    apart = adapter_of(system(tmp_path / "apart", kind=kind, stamp=stamp), SystemClock())
    one_by_one = [
        await apart.act("delete", one.frozen, cut_off=one.cut_off, idempotency_key="k") for one in orders
    ]

    adapter = adapter_of(together, SystemClock())
    outcomes = await act_many(adapter, "delete", orders)

    counts = [
        [one.receipt.datasets for one in each if isinstance(one, Done)] for each in (outcomes, one_by_one)
    ]
    assert counts[0] == counts[1]
    assert left(tmp_path / "together") == left(tmp_path / "apart")
    assert len(left(tmp_path / "together")) == 100 - 7
    assert await prove_many(adapter, "delete", orders) == [
        Gone({"contacts": len(one.frozen.rows["contacts"])}) for one in orders
    ]


async def test_what_was_not_done_is_seen_in_whose_rows_it_is(tmp_path: Path) -> None:
    adapter = adapter_of(system(tmp_path, kind=pa.int64(), stamp=STAMPS[0]), SystemClock())
    gone, there = order([1, 2], 50), order([3, 4, 500], 50)
    await act_many(adapter, "delete", [gone, order([5], 50)])

    assert await prove_many(adapter, "delete", [gone, there]) == [Gone({"contacts": 2}), StillPresent(2)]
    outcomes = await act_many(adapter, "delete", [gone, there])

    assert [one.receipt.datasets[0].erased for one in outcomes if isinstance(one, Done)] == [0, 2]


async def test_who_has_no_row_keeps_nobody_from_being_done(tmp_path: Path) -> None:
    adapter = adapter_of(system(tmp_path, kind=pa.int64(), stamp=STAMPS[0]), SystemClock())

    outcomes = await act_many(adapter, "delete", [order([1], 50), order([], 50), order([2], 50)])

    assert [type(one) for one in outcomes] == [Done, Nothing, Done]
    assert len(left(tmp_path)) == 98


async def test_a_file_that_nobody_is_in_is_not_written_again(tmp_path: Path) -> None:
    adapter = adapter_of(system(tmp_path, kind=pa.int64(), stamp=STAMPS[0]), SystemClock())
    files = [tmp_path / "files" / f"{number}.parquet" for number in (0, 1)]
    before = [path.stat().st_ino for path in files]

    await act_many(adapter, "delete", [order([1], 50), order([2], 50)])

    assert [path.stat().st_ino == inode for path, inode in zip(files, before, strict=True)] == [False, True]


async def test_two_who_claim_one_row_are_done_row_by_row(tmp_path: Path) -> None:
    made = system(tmp_path, kind=pa.int64(), stamp=STAMPS[0])
    both = [order([1, 2], 50), order([2, 3], 50)]
    adapter = adapter_of(made, SystemClock())

    outcomes = await act_many(adapter, "delete", both)

    assert [one.receipt.datasets[0].erased for one in outcomes if isinstance(one, Done)] == [2, 2]
    assert len(left(tmp_path)) == 97


@pytest.mark.parametrize("untils", [(1, 50), (50, 1)])
async def test_a_row_that_two_claim_is_there_for_whom_it_is_old_enough(
    tmp_path: Path, untils: tuple[int, int]
) -> None:
    adapter = adapter_of(system(tmp_path, kind=pa.int64(), stamp=STAMPS[0]), SystemClock())
    both = [order([2], until) for until in untils]
    alone = [await adapter.prove("delete", one.frozen, cut_off=one.cut_off) for one in both]

    proofs = await prove_many(adapter, "delete", both)

    assert proofs == alone
    assert {type(one) for one in proofs} == {Gone, StillPresent}


async def test_a_list_that_was_acted_for_is_proved_by_what_is_there_now(tmp_path: Path) -> None:
    adapter = adapter_of(system(tmp_path, kind=pa.int64(), stamp=STAMPS[0]), SystemClock())
    people = Listed([order([1, 2], 50), order([3], 50)])

    before = await prove_many(adapter, "delete", people)
    await act_many(adapter, "delete", people)
    after = await prove_many(adapter, "delete", people)

    assert before == [StillPresent(2), StillPresent(1)]
    assert after == [Gone({"contacts": 2}), Gone({"contacts": 1})]


def test_what_is_gathered_from_a_list_is_gathered_once_and_goes_when_the_list_goes() -> None:
    people = Listed([order([1, 2], 50), order([3], 50)])
    gathered = [people.once("orders", list) for _ in range(2)]
    gone = weakref.ref(people)

    del people

    assert gathered[0] is gathered[1]
    assert gone() is None
