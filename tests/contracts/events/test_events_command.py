"""`habeas events list|schema`: the catalogue on the command line."""

import json

from typer.testing import CliRunner

from deploy.cli.event_views import visible
from deploy.cli.main import app
from deploy.generate import ROOT
from shared.events.catalogue import decode
from shared.events.message import CATALOGUE


def test_the_list_names_every_type_with_its_meaning() -> None:
    answer = CliRunner().invoke(app, ["events", "list"])

    assert answer.exit_code == 0
    assert all(ce_type in answer.stdout for ce_type in CATALOGUE)


def test_the_list_as_json_says_who_sends_and_who_listens() -> None:
    answer = CliRunner().invoke(app, ["events", "list", "--json"])

    listed = {one["type"]: one for one in json.loads(answer.stdout)}
    assert listed["dsar.request.received.v1"]["senders"] == ["habeas/intake"]
    assert "deadline" in listed["dsar.request.received.v1"]["readers"]
    assert listed["dsar.deadline.extend.v1"]["signed"]


def test_the_schema_is_the_committed_one() -> None:
    answer = CliRunner().invoke(app, ["events", "schema", "dsar.request.closed.v1"])

    assert answer.stdout == (ROOT / "deploy/schemas/dsar.request.closed.v1.json").read_text("utf-8")


def test_a_misspelt_type_is_answered_with_the_nearest_one() -> None:
    answer = CliRunner().invoke(app, ["events", "schema", "dsar.request.recieved.v1"])

    assert answer.exit_code == 2
    assert "did you mean dsar.request.received.v1?" in answer.stderr


def test_a_request_that_is_no_id_is_refused_in_words() -> None:
    answer = CliRunner().invoke(app, ["events", "show", "yesterday's"])

    assert answer.exit_code == 2
    assert "not a valid UUID" in answer.stderr


def test_a_sealed_field_shows_its_size_only() -> None:
    body = decode("dsar.verification.present-assertion.v1", b'{"assertion": "AAAAAAAA"}')

    assert visible(body) == {"assertion": "(sealed, 6 bytes)"}
