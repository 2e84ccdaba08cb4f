"""The CloudEvents project's own SDK reads every record that we write, and ours reads what it writes."""

import json
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, to_binary_event

from shared.events import envelope
from shared.events.envelope import Raw, Record

SAMPLES = sorted((Path(__file__).parents[1] / "samples").glob("*.json"))


def sample(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def as_it_lies(document: dict[str, Any]) -> KafkaMessage:
    headers = {name: text.encode() for name, text in document["headers"].items()}
    return KafkaMessage(headers, document["key"].encode(), json.dumps(document["value"]).encode())


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_it_reads_ours(file: Path) -> None:
    document = sample(file)

    event = from_binary_event(as_it_lies(document))

    # The content's type and the record's key are no headers of ours with `ce_`, and attributes all the same.
    attributes = {f"ce_{name}" for name in event.get_attributes()} - {"ce_datacontenttype", "ce_partitionkey"}
    headers = {name for name in document["headers"] if name.startswith("ce_")}
    assert attributes == headers
    assert event.get_extension("partitionkey") == document["key"]
    assert event.get_type() == document["headers"]["ce_type"]
    assert event.get_subject() == document["headers"].get("ce_subject")
    assert event.get_data() == document["value"]


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_we_read_what_it_writes(file: Path) -> None:
    document = sample(file)
    written = to_binary_event(from_binary_event(as_it_lies(document)), key_mapper=lambda _: document["key"])

    assert isinstance(written.key, str)
    headers = tuple(written.headers.items())
    found = envelope.read(Raw(document["topic"], 0, 0, written.key.encode(), headers, written.value))

    assert isinstance(found, Record)
    assert found.envelope.ce_type == document["headers"]["ce_type"]
    assert json.loads(found.body.model_dump_json()).keys() >= document["value"].keys()
