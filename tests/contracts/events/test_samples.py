"""One record of every type, kept for ever: what lay on a topic once can be read always.

A new type adds its sample and its line in SHA256SUMS. Neither is ever edited or deleted: if a sample no longer
decodes, the change to the type needs a new version and an upcast.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from deploy.generation.contracts import declarations, json_schema, senders
from shared.events import envelope
from shared.events.catalogue import declaration
from shared.events.envelope import Raw, Record
from shared.events.message import Declaration
from shared.events.topics import LIFECYCLE

SAMPLES = Path(__file__).parents[1] / "samples"
FILES = sorted(SAMPLES.glob("*.json"))
TYPES = declarations()


def sample(ce_type: str) -> Any:
    return json.loads((SAMPLES / f"{ce_type}.json").read_text("utf-8"))


def digests() -> dict[str, str]:
    rows = (line.split() for line in (SAMPLES / "SHA256SUMS").read_text("utf-8").splitlines())
    return {name: digest for digest, name in rows}


def record(document: Any) -> Raw:
    return Raw(
        topic=document["topic"],
        partition=0,
        offset=0,
        key=document["key"].encode(),
        headers=tuple((name, value.encode()) for name, value in document["headers"].items()),
        value=json.dumps(document["value"]).encode(),
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_sample_ever_kept_can_be_read_today(file: Path) -> None:
    found = envelope.read(record(sample(file.stem)))

    assert isinstance(found, Record)
    assert found.envelope.ce_type == file.stem
    assert type(found.body) is declaration(file.stem).model


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_sample_was_edited(file: Path) -> None:
    assert hashlib.sha256(file.read_bytes()).hexdigest() == digests().get(file.name)


def test_no_sample_was_deleted() -> None:
    assert digests().keys() == {file.name for file in FILES}


@pytest.mark.parametrize("one", TYPES, ids=lambda one: one.ce_type)
def test_every_type_has_a_sample_on_its_topic_from_one_who_may_send_it(one: Declaration) -> None:
    kept = sample(one.ce_type)

    assert one.topic.covers(kept["topic"])
    assert any(allows(source, kept["headers"]["ce_source"]) for source in senders(one))


@pytest.mark.parametrize("one", TYPES, ids=lambda one: one.ce_type)
def test_a_sample_satisfies_the_published_schema(one: Declaration) -> None:
    schema = json_schema(one)

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(sample(one.ce_type)["value"], schema, format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("one", TYPES, ids=lambda one: one.ce_type)
def test_a_type_refuses_a_field_that_it_does_not_know(one: Declaration) -> None:
    stranger = sample(one.ce_type)
    stranger["value"]["nickname"] = "Al"

    found = envelope.read(record(stranger))

    assert isinstance(found, envelope.Unreadable)
    assert (found.reason, found.field) == ("invalid_body", "an unknown field")


@pytest.mark.parametrize("one", TYPES, ids=lambda one: one.ce_type)
def test_a_type_says_in_a_sentence_what_it_means(one: Declaration) -> None:
    doc = one.model.__doc__ or ""

    assert len(doc.split()) >= 5
    assert doc.strip().endswith((".", ")."))


def test_events_of_a_lifecycle_carry_their_writers_audit_head() -> None:
    lifecycle = [one for one in TYPES if one.topic in LIFECYCLE]

    assert [one.ce_type for one in lifecycle if "audit_head" not in one.model.model_fields] == []


def allows(source: str, sender: str) -> bool:
    return source == sender or (source.endswith("/*") and sender.startswith(source[:-1]))
