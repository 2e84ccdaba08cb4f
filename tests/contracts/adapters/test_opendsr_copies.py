"""Copies over OpenDSR: ordered once, waited for, fetched from declared hosts alone, within bounds, shown as rows."""

import gzip
import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.fulfillment.adapters.opendsr.copies import (
    UnreadableCopyError,
    datasets_of,
    refuse_elsewhere,
)
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.lanes import _well
from services.fulfillment.ports import Export, Frozen, NeedsPerson, Retry, Subject
from services.fulfillment.told.calling import NotWell
from tests.contracts.adapters.test_opendsr import CUT_OFF, EMAIL
from tests.support.told import MAP, Processor

MOST = 10_000
ROWS = [{"event": "visit", "at": "2026-01-02"}, {"event": "click", "at": "2026-01-03"}]
LINES = "\n".join(map(json.dumps, ROWS)).encode()
RIGHTS = "delete, know_specific"


@pytest.fixture
async def processor(tmp_path: Path) -> AsyncIterator[Processor]:
    opened = await Processor().open(tmp_path)
    yield opened
    await opened.close()


async def asked(processor: Processor, **settings: str) -> Export | Retry | NeedsPerson:
    """What comes of asking once more for the copy of one person."""
    system = processor.system(settings={"rights": RIGHTS, **settings})
    adapter = processor.adapter(system)
    frozen = await adapter.find(Subject({"email": EMAIL}), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    return await adapter.export(frozen, cut_off=CUT_OFF)


async def ready(processor: Processor, said: dict[str, Any], **settings: str) -> Export | Retry | NeedsPerson:
    """The same, once the processor says that it is ready."""
    await asked(processor, **settings)
    processor.state, processor.copy = "completed", said
    return await asked(processor, **settings)


def at(processor: Processor, name: str = "a") -> dict[str, Any]:
    return {"results_url": f"{processor.address}/v2/copies/{name}", "results_count": 2}


@pytest.mark.parametrize("kind", ["access", "portability"])
async def test_a_copy_is_ordered_once_waited_for_and_shown(processor: Processor, kind: str) -> None:
    processor.copies["a"] = json.dumps(ROWS).encode()
    waiting = [await asked(processor, request_type=kind) for _ in range(3)]
    processor.state = "in-progress"
    waiting.append(await asked(processor, request_type=kind))

    export = await ready(processor, at(processor), request_type=kind)

    (order,) = processor.orders()
    assert order["subject_request_type"] == kind
    assert all(isinstance(each, Retry) and each.after.total_seconds() == 3600 for each in waiting)
    assert all(_well(each) for each in waiting)
    assert isinstance(export, Export)
    assert [(each.dataset, list(each.rows)) for each in export.datasets] == [("people", ROWS)]
    assert [held.category for held in export.categories] == ["identifiers"]
    assert processor.fetched[0].headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize("state", ["canceled", "cancelled", "lost"])
async def test_a_copy_that_is_not_made_is_for_a_person(processor: Processor, state: str) -> None:
    await asked(processor)
    processor.state = state

    assert isinstance(await asked(processor), NeedsPerson)


@pytest.mark.parametrize("said", [{}, {"results_url": None, "results_count": 0}])
async def test_no_copy_of_nothing_is_an_answer(processor: Processor, said: dict[str, Any]) -> None:
    export = await ready(processor, said)

    assert isinstance(export, Export)
    assert export.is_empty


@pytest.mark.parametrize(
    "address",
    [
        "https://files.processor.example/a",
        "http://127.0.0.1:1/a",
        "http://localhost/a",
        "file:///etc/passwd",
        "http://169.254.169.254/latest",
        "//files.processor.example/a",
        "not an address",
        "https://[::1/a",
    ],
)
async def test_nothing_is_fetched_from_where_the_file_names_no_host(
    processor: Processor, address: str
) -> None:
    outcome = await ready(processor, {"results_url": address, "results_count": 1})

    assert isinstance(outcome, NeedsPerson)
    assert "results_hosts" in outcome.reason
    assert "processor.example" not in outcome.reason
    assert processor.fetched == []


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://api.processor.example/v2/copies/a", True),
        ("https://API.processor.example:443/a", True),
        ("https://files.processor.example/a?signed=1", True),
        ("https://api.processor.example:8443/a", False),
        ("http://api.processor.example/a", False),
        ("http://files.processor.example/a", False),
        ("https://files.processor.example:8443/a", False),
        ("https://evil.files.processor.example/a", False),
        ("https://files.processor.example.evil.example/a", False),
        ("https://files.processor.example@evil.example/a", False),
        ("https://user:secret@files.processor.example/a", False),
        ("https://evil.example\\@files.processor.example/a", False),
    ],
)
def test_hosts_are_compared_whole_with_scheme_and_port(address: str, *, allowed: bool) -> None:
    own, hosts = "https://api.processor.example/v2", ["files.processor.example"]
    if allowed:
        refuse_elsewhere(address, own, hosts)
    else:
        with pytest.raises(NotWell):
            refuse_elsewhere(address, own, hosts)


async def test_a_redirect_is_not_followed(processor: Processor) -> None:
    processor.copies["a"] = LINES
    await asked(processor)
    processor.state, processor.copy = "completed", at(processor)
    processor.fail(302)

    assert isinstance(await asked(processor), NeedsPerson)
    assert len(processor.fetched) == 1


@pytest.mark.parametrize(
    ("status", "said"), [(410, "gives the copy out no more"), (404, "no more"), (403, "not let in")]
)
async def test_a_copy_that_is_kept_back_is_for_a_person(processor: Processor, status: int, said: str) -> None:
    await asked(processor)
    processor.state, processor.copy = "completed", at(processor)
    processor.fail(status)

    outcome = await asked(processor)

    assert isinstance(outcome, NeedsPerson)
    assert said in outcome.reason


async def test_a_processor_that_is_away_is_asked_again_later(processor: Processor) -> None:
    processor.fail(503)
    first = await asked(processor)
    processor.state, processor.copy = "completed", at(processor)
    await asked(processor)
    processor.fail(503)
    later = await asked(processor)

    assert isinstance(first, Retry)
    assert isinstance(later, Retry)
    assert not _well(later)


async def test_a_copy_beyond_its_bound_is_for_a_person_and_read_no_further(processor: Processor) -> None:
    processor.copies["a"] = b" " * 2_000_000

    outcome = await ready(processor, at(processor), results_max_mb="1")

    assert isinstance(outcome, NeedsPerson)
    assert "1000000 bytes" in outcome.reason


def a_zip(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in files.items():
            archive.writestr(f"folder/{name}", raw)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("raw", "rows"),
    [
        (json.dumps(ROWS).encode(), {"people": 2}),
        (b"\xef\xbb\xbf" + LINES, {"people": 2}),
        (json.dumps(ROWS[0]).encode(), {"people": 1}),
        (b"event,at\nvisit,2026-01-02\nclick,2026-01-03\n", {"people": 2}),
        (gzip.compress(LINES), {"people": 2}),
        (a_zip(**{"visits.jsonl": LINES, "clicks.csv.gz": gzip.compress(b"a,b\n1,2\n")}), {"visits": 2, "clicks": 1}),
        (b"", {}),
        (b"[]", {}),
    ],
)  # fmt: skip
def test_json_lines_csv_gzip_and_zip_are_read(raw: bytes, rows: dict[str, int]) -> None:
    found = datasets_of(raw, read_dataset(_yaml(MAP), file="m"), most=MOST)

    assert {each.dataset: len(each.rows) for each in found} == rows


@pytest.mark.parametrize(
    "raw",
    [
        b"<html>Sign in</html>", b"[1, 2]", b"{", b"just words\n", b"a,b\n1,2,3\n", b"a,a\n1,2\n", b"\xff\xfe\x00",
        b"%PDF-1.7 nonsense", gzip.compress(b" " * 50_000), gzip.compress(LINES)[:-9], a_zip(big=b" " * 50_000),
        b"PK\x03\x04 no zip", b"[" * 100_000,
    ],
)  # fmt: skip
def test_whatever_else_it_is_a_person_looks_and_nothing_of_it_is_quoted(raw: bytes) -> None:
    with pytest.raises(UnreadableCopyError) as refused:
        datasets_of(raw, read_dataset(_yaml(MAP), file="m"), most=MOST)

    assert "words" not in str(refused.value)


def test_what_the_map_withholds_is_counted_and_not_shown() -> None:
    datamap = _yaml(MAP)
    number = {"name": "card", "data_categories": ["user.financial.credit_card"]}
    datamap["dataset"][0]["collections"][0]["fields"].append(number)

    (found,) = datasets_of(b'[{"email": "a@b", "card": "4111"}]', read_dataset(datamap, file="m"), most=MOST)

    assert list(found.rows) == [{"email": "a@b"}]
    assert [(each.column, each.kind, each.count) for each in found.withheld] == [
        ("card", "financial_account_number", 1)
    ]
    assert found.categories["email"] == "identifiers"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"request_type": "rectification"}, "request_type: access or portability"),
        ({"results_hosts": "https://files.example"}, "results_hosts: hosts alone"),
        ({"results_hosts": "*.example"}, "results_hosts: hosts alone"),
        ({"results_max_mb": "much"}, "results_max_mb: a number"),
        ({"results_max_mb": "100000"}, "results_max_mb: a number"),
        ({"rights": "delete, opt_out"}, "OpenDSR knows delete and know_specific"),
        ({"rights": "know"}, "'know' cannot be told; known: delete, know_specific, limit, opt_out"),
    ],
)
async def test_a_file_that_cannot_work_is_refused(
    processor: Processor, settings: dict[str, str], said: str
) -> None:
    with pytest.raises(MapError) as refused:
        processor.adapter(processor.system(settings=settings))

    assert said in str(refused.value)


async def test_check_says_what_the_processor_does_not_serve(processor: Processor) -> None:
    adapter = processor.adapter(processor.system(settings={"rights": RIGHTS}))
    before = await adapter.check()
    processor.serves = ["erasure", "access"]

    assert not before.ok
    assert before.notes == ("the processor does not say that it serves access",)
    assert (await adapter.check()).ok


def _yaml(text: str) -> Any:
    return yaml.safe_load(text)
