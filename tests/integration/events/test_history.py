"""`habeas events show` and `habeas report`: what Kafka holds of one request, and of all."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer
from pyarrow import parquet
from typer.testing import CliRunner, Result

from deploy.cli.event_views import print_history
from deploy.cli.main import app
from deploy.event_history import history
from deploy.reports.reading import Rebuilt, book_file, current_book, rebuilt
from shared.events.envelope import Record, Unreadable
from tests.support.installation import Installation, Installations

pytestmark = pytest.mark.connected
REQUEST = UUID("0199c0de-7000-7000-8000-00000000c0de")
STRANGER = UUID("0199c0de-7000-7000-8000-00000000beef")
SAMPLES = Path(__file__).parents[2] / "contracts" / "samples"
SAID = (
    "dsar.request.received.v1",
    "dsar.request.verified.v1",
    "dsar.request.fulfilled.v1",
    "dsar.request.closed.v1",
)


@pytest.fixture(scope="module")
async def told(installations: Installations) -> Installation:
    """Topics that hold one request's lifecycle among another's, and one record that cannot be read."""
    installation = await installations.make(partitions=3)
    async with AIOKafkaProducer(bootstrap_servers=installation.settings.kafka_bootstrap) as producer:
        for hour, name in enumerate(SAID):
            kept = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))
            kept["headers"]["ce_time"] = f"2026-01-15T{18 + hour}:00:00+00:00"
            for request in (REQUEST, STRANGER):
                await put(producer, installation, kept, request)
        broken = {"topic": "dsar.closed", "headers": {"ce_id": "no id"}, "value": {}}
        await put(producer, installation, broken, REQUEST)
    return installation


async def put(producer: AIOKafkaProducer, installation: Installation, kept: Any, request: UUID) -> None:
    headers = kept["headers"] | {"ce_subject": str(request)}
    await producer.send_and_wait(
        installation.settings.namespace + kept["topic"],
        json.dumps(kept["value"]).encode(),
        key=str(request).encode(),
        headers=[(name, text.encode()) for name, text in headers.items()],
    )


async def test_a_lifecycle_is_told_in_order_and_without_the_neighbours(told: Installation) -> None:
    found = await history(told.settings, REQUEST)

    assert tuple(one.envelope.ce_type for one in found if isinstance(one, Record)) == SAID
    assert {str(one.envelope.subject) for one in found if isinstance(one, Record)} == {str(REQUEST)}


async def test_a_record_that_cannot_be_read_is_shown_with_its_reason(told: Installation) -> None:
    last = (await history(told.settings, REQUEST))[-1]

    assert isinstance(last, Unreadable)
    assert last.reason == "missing_header"


async def test_what_is_sealed_is_not_printed(told: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    sealed = json.loads((SAMPLES / "dsar.request.received.v1.json").read_text("utf-8"))["value"]["claims"]

    print_history(REQUEST, await history(told.settings, REQUEST), as_json=True)

    said = capsys.readouterr().out
    assert sealed not in said
    assert json.loads(said)[0]["body"]["claims"] == "(sealed, 18 bytes)"


async def test_a_request_that_nobody_heard_of_has_no_history(told: Installation) -> None:
    assert await history(told.settings, UUID(int=1)) == []


async def test_the_read_model_reads_on_where_it_stopped_and_is_equal_when_made_anew(
    told: Installation,
) -> None:
    counts: list[tuple[int, int]] = []

    async with current_book(told.settings, lambda *read: counts.append(read)) as book:
        log = list(book.lines())
    async with current_book(told.settings, lambda *read: counts.append(read)) as book:
        assert list(book.lines()) == log

    everything = 2 * len(SAID) + 1
    assert {one.request_id for one in log} == {REQUEST, STRANGER}
    assert [one.state for one in log] == ["closed", "closed"]
    assert (counts[0], counts[-1]) == ((everything, everything), (0, 0))
    assert await rebuilt(told.settings) == Rebuilt(2, everything, compared=True, different=[])


async def test_a_read_model_that_somebody_changed_is_named_and_mended(told: Installation) -> None:
    async with current_book(told.settings) as book:
        log = list(book.lines())
    with closing(sqlite3.connect(book_file(told.settings))) as file, file:
        file.execute("UPDATE requests SET resolution = 'denied' WHERE request_id = ?", (str(REQUEST),))

    assert (await rebuilt(told.settings)).different == [REQUEST]

    async with current_book(told.settings) as book:
        assert list(book.lines()) == log


async def test_the_reports_are_typed_and_written_in_every_form(told: Installation, tmp_path: Path) -> None:
    async def types(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["report", *words], env=told.environment)

    file = tmp_path / "log.parquet"
    written = await types("log", "--past", "--format", "parquet", "--to", str(file))
    assert (written.exit_code, written.stdout) == (0, f"2 requests: written to {file}.\n")
    assert {one["request_id"] for one in parquet.read_table(file).to_pylist()} == {
        str(REQUEST),
        str(STRANGER),
    }
    assert len(json.loads((await types("log", "--past", "--json")).stdout)) == 2
    page = await types("metrics", "--year", "2026", "--business", "cascadia", "--format", "html")
    assert "<title>Privacy requests to cascadia in 2026</title>" in page.stdout
    rebuilt_ = await types("rebuild", "--json")
    assert (rebuilt_.exit_code, json.loads(rebuilt_.stdout)["equal"]) == (0, True)
    assert (await types("log", "--to", str(tmp_path / "nowhere" / "log.csv"))).exit_code == 2
