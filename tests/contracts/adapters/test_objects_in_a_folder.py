"""What only files can do to the objects adapter: be copied, linked, broken, changed meanwhile, left half done."""

import asyncio
import fcntl
import gzip
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.fulfillment.adapters.objects import open_adapter
from services.fulfillment.adapters.objects.failures import Failure
from services.fulfillment.adapters.objects.folder import LOCK, STAGED, Folder
from services.fulfillment.datamap.model import MapError
from services.fulfillment.ports import Adapter, Done, Gone, NeedsPerson, Retry, StillPresent, Subject, Unknown
from tests.support.lists import ADA, BOB, CUT_OFF, EMAIL, act, adapter_of, csv, delete, found, lists


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "lists"
    folder.mkdir()
    return folder


@pytest.fixture
def adapter(tmp_path: Path, folder: Path) -> Adapter:
    return adapter_of(lists(tmp_path, str(folder)))


def as_written(file: Path) -> tuple[int, int]:
    """Which file it is, and when it was written: reading it changes neither."""
    return file.stat().st_ino, file.stat().st_mtime_ns


async def test_a_row_goes_from_every_file_and_files_without_it_are_not_touched(
    adapter: Adapter, folder: Path
) -> None:
    (folder / "2026").mkdir()
    (folder / "2026" / "january.csv").write_bytes(csv(ADA, BOB))
    (folder / "february.csv").write_bytes(csv(ADA))
    (folder / "march.csv").write_bytes(csv(BOB))
    before = as_written(folder / "march.csv")

    assert await delete(adapter) == 1

    assert (folder / "2026" / "january.csv").read_bytes() == csv(BOB)
    assert (folder / "february.csv").read_bytes() == csv()
    assert as_written(folder / "march.csv") == before


async def test_what_stays_keeps_its_bytes(adapter: Adapter, folder: Path) -> None:
    odd = b'"L3"," carl@example.com ","Carl ""the\r\nQuote"" Odd",,2026-01-05\r\n'
    head = b"\xef\xbb\xbf" + csv()
    (folder / "odd.csv").write_bytes(head + odd + ADA.encode() + b"\n\n" + BOB.encode())

    await delete(adapter)

    assert (folder / "odd.csv").read_bytes() == head + odd + b"\n" + BOB.encode()


async def test_a_flag_is_set_in_the_file_s_own_way(adapter: Adapter, folder: Path) -> None:
    (folder / "list.csv").write_bytes(csv(ADA, BOB).replace(b"\n", b"\r\n"))

    outcome = await act(adapter, await found(adapter), "opt_out")

    assert isinstance(outcome, Done)
    changed = csv(ADA.replace("false", "true"), BOB).replace(b"\n", b"\r\n")
    assert (folder / "list.csv").read_bytes() == changed


async def test_parquet_keeps_its_schema_metadata_and_compression(adapter: Adapter, folder: Path) -> None:
    rows = [dict(zip(csv().decode().strip().split(","), each.split(","), strict=True)) for each in (ADA, BOB)]
    names = pa.array([row.pop("full_name") for row in rows]).dictionary_encode()
    table = (
        pa.Table.from_pylist(rows)
        .append_column("full_name", names)
        .replace_schema_metadata({"by": "a seller"})
    )
    pq.write_table(table, folder / "list.parquet", compression="zstd", row_group_size=1)

    await delete(adapter)

    left = pq.ParquetFile(folder / "list.parquet")
    assert left.schema_arrow.equals(table.schema, check_metadata=True)
    assert left.metadata.row_group(0).column(0).compression == "ZSTD"
    assert left.read().to_pylist() == table.slice(1).to_pylist()
    assert b"canary" not in (folder / "list.parquet").read_bytes().lower()


async def test_nothing_is_left_of_an_attempt_that_died(adapter: Adapter, folder: Path) -> None:
    (folder / "list.csv").write_bytes(csv(ADA, BOB))
    frozen = await found(adapter)
    assert isinstance(await act(adapter, frozen), Done)
    (folder / f"{STAGED}0").write_bytes(csv(ADA)[:30])

    left = await adapter.prove("delete", frozen, cut_off=CUT_OFF)
    assert isinstance(await act(adapter, frozen), Done)

    assert left == StillPresent(1)
    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Gone)
    assert sorted(os.listdir(folder)) == [LOCK, "list.csv"]  # noqa: PTH208 - a list, at once


async def test_a_proof_does_not_turn_away_an_act(adapter: Adapter, folder: Path) -> None:
    (folder / "list.csv").write_bytes(csv(ADA))
    frozen = await found(adapter)

    assert await adapter.prove("delete", frozen, cut_off=CUT_OFF) == StillPresent(1)

    assert not (folder / LOCK).exists(), "it took the lock that an act needs"


async def test_two_proofs_at_once_both_see_what_a_dead_attempt_left(adapter: Adapter, folder: Path) -> None:
    (folder / "list.csv").write_bytes(csv(ADA))
    frozen = await found(adapter)
    assert isinstance(await act(adapter, frozen), Done)
    (folder / f"{STAGED}0").write_bytes(csv(ADA))

    with _locked(folder, fcntl.LOCK_SH):
        proof = await adapter.prove("delete", frozen, cut_off=CUT_OFF)

    assert proof == StillPresent(1)


async def test_what_lies_there_is_not_gone_where_nobody_can_tell_whose_it_is(
    adapter: Adapter, folder: Path
) -> None:
    (folder / "list.csv").write_bytes(csv(ADA))
    frozen = await found(adapter)
    (folder / "list.csv").write_bytes(csv())
    (folder / f"{STAGED}0").write_bytes(csv(ADA))
    (folder / LOCK).mkdir()

    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Unknown)


def test_what_is_being_written_is_not_left_over(folder: Path) -> None:
    (folder / "list.csv").write_bytes(csv(ADA))
    store = Folder(folder)
    (stored,) = store.states()

    with store.changing() as changes, changes.stage(stored):
        assert list(folder.glob(f"{STAGED}*"))
        assert Folder(folder).leftovers() == 0


async def test_whoever_else_of_us_is_changing_files_goes_first(adapter: Adapter, folder: Path) -> None:
    (folder / "list.csv").write_bytes(csv(ADA))
    frozen = await found(adapter)

    with _locked(folder):
        outcome = await act(adapter, frozen)

    assert isinstance(outcome, Retry)
    assert (folder / "list.csv").read_bytes() == csv(ADA)


def test_a_file_that_somebody_wrote_to_meanwhile_is_not_replaced(folder: Path) -> None:
    (folder / "list.csv").write_bytes(csv(ADA))
    store = Folder(folder)
    (stored,) = store.states()

    with store.changing() as changes:
        with changes.stage(stored) as out, (folder / "list.csv").open("ab") as appended:
            out.write(csv())
            appended.write(BOB.encode())
        with pytest.raises(Failure) as failed:
            changes.commit()

    assert failed.value.meaning == "busy"
    assert (folder / "list.csv").read_bytes() == csv(ADA) + BOB.encode()
    assert not changes.begun


def test_who_has_gone_begins_nothing_any_more(folder: Path) -> None:
    (folder / "list.csv").write_bytes(csv(ADA))
    store = Folder(folder)
    (stored,) = store.states()

    with store.changing() as changes:
        with changes.stage(stored) as out:
            out.write(csv())
        changes.stopped = True
        with pytest.raises(Failure):
            changes.commit()

    assert (folder / "list.csv").read_bytes() == csv(ADA)


@pytest.mark.parametrize("link", [os.link, os.symlink])
async def test_a_file_with_a_second_name_is_for_a_person(
    adapter: Adapter, folder: Path, tmp_path: Path, link: object
) -> None:
    assert callable(link)
    (tmp_path / f"{EMAIL}.csv").write_bytes(csv(ADA))
    link(tmp_path / f"{EMAIL}.csv", folder / "list.csv")

    outcome = await act(adapter, await found(adapter))

    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "refused"
    assert EMAIL not in outcome.reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("open-quote.csv", csv(f'L1,{EMAIL},"Ada Canary,false,2026-01-05', BOB)),
        ("short.csv", csv(f"L1,{EMAIL}", BOB)),
        ("latin.csv", csv(ADA).replace(b"Ada", b"\xc4da")),
        ("no-header.csv", b""),
        ("twice.csv", f"{csv().decode().strip()},email\n{ADA},x\n".encode()),
        ("list.parquet", b"PAR1" + ADA.encode() + b"PAR1"),
        ("list.jsonl", f'["{EMAIL}"]\n'.encode()),
        ("list.jsonl", b'{"lead_id": "L1", "email": "' + EMAIL.encode()),
        ("list.xlsx", ADA.encode()),
        ("list.csv", csv(f"L1,{EMAIL},Ada Canary,false,some day in May")),
        ("list.csv", csv(f",{EMAIL},Ada Canary,false,2026-01-05")),
    ],
)
async def test_a_file_that_cannot_be_understood_is_for_a_person_and_quoted_to_nobody(
    adapter: Adapter, folder: Path, name: str, content: bytes
) -> None:
    (folder / name).write_bytes(content)
    (folder / "fine.csv").write_bytes(csv(ADA))

    answer = await adapter.find(_ada(), cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == "schema"
    assert "canary" not in answer.reason.lower()


async def test_a_folder_without_a_file_of_the_collection_is_for_a_person(
    adapter: Adapter, folder: Path
) -> None:
    (folder / "_SUCCESS").write_bytes(b"")

    answer = await adapter.find(_ada(), cut_off=CUT_OFF)
    report = await adapter.check()

    assert isinstance(answer, NeedsPerson)
    assert "settings.files.leads" in answer.reason
    assert not report.ok


async def test_files_of_no_collection_are_told_at_the_check(tmp_path: Path, folder: Path) -> None:
    (folder / "leads.csv").write_bytes(csv(ADA))
    (folder / f"{EMAIL}.pdf").write_bytes(b"")

    report = await adapter_of(lists(tmp_path, str(folder), {"files.leads": "leads.csv"})).check()

    assert report.ok
    assert [note for note in report.notes if note.startswith("1 files belong to no collection")]


@pytest.mark.parametrize(
    ("settings", "secrets", "problem"),
    [
        ({"files.lead": "*"}, {}, "settings.files.lead: the map has no collection 'lead'"),
        ({"seperator": ";"}, {}, "settings.seperator: unknown"),
        ({}, {"access_key": "x"}, "secrets: name access_key and secret_key"),
    ],
)
def test_a_system_file_that_is_not_understood_is_refused_by_name(
    tmp_path: Path, settings: dict[str, str], secrets: dict[str, str], problem: str
) -> None:
    with pytest.raises(MapError, match=problem):
        open_adapter(lists(tmp_path, "/lists", settings, secrets))


async def test_an_address_that_is_none_is_a_matter_of_credentials(tmp_path: Path) -> None:
    answer = await adapter_of(lists(tmp_path, "ftp://lists.example")).find(_ada(), cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == "credentials"


async def test_many_deletions_at_once_all_come_through(adapter: Adapter, folder: Path) -> None:
    people = [f"L{n},person{n}@example.com,Person {n},false,2026-01-05" for n in range(10, 20)]
    (folder / "list.csv").write_bytes(csv(*people, BOB))
    found_ones = [await found(adapter, f"person{n}@example.com") for n in range(10, 20)]

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(act(adapter, frozen)) for frozen in found_ones]

    assert all(isinstance(task.result(), Done) for task in tasks)
    assert (folder / "list.csv").read_bytes() == csv(BOB)


def _ada() -> Subject:
    return Subject({"email": EMAIL})


@contextmanager
def _locked(folder: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, how)
        yield


async def test_a_compressed_file_is_written_anew_compressed(adapter: Adapter, folder: Path) -> None:
    (folder / "january.csv.gz").write_bytes(gzip.compress(csv(ADA, BOB)))
    row = {
        "lead_id": "L1",
        "email": EMAIL,
        "full_name": "Ada",
        "do_not_sell": False,
        "bought_at": "2026-01-05",
    }
    (folder / "march.JSONL.GZ").write_bytes(gzip.compress(json.dumps(row).encode() + b"\n"))

    assert await delete(adapter) == 1

    assert gzip.decompress((folder / "january.csv.gz").read_bytes()) == csv(BOB)
    assert gzip.decompress((folder / "march.JSONL.GZ").read_bytes()) == b""


@pytest.mark.parametrize("content", [gzip.compress(csv(ADA, BOB))[:-9], csv(ADA, BOB), b""])
async def test_a_compressed_file_that_is_not_whole_is_for_a_person_and_stays(
    adapter: Adapter, folder: Path, content: bytes
) -> None:
    (folder / "january.csv.gz").write_bytes(content)

    answer = await adapter.find(Subject({"email": EMAIL}), cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == "schema"
    assert (folder / "january.csv.gz").read_bytes() == content
