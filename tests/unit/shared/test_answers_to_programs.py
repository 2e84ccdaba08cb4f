"""Commands that say what they did say it to programs as one JSON object, and nothing beside it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.cli.main import app


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HABEAS_HOME", str(tmp_path))
    monkeypatch.setenv("HABEAS_FULFILLMENT_SYSTEMS", str(tmp_path / "systems"))


def answered(*words: str) -> dict[str, Any]:
    answer = CliRunner().invoke(app, [*words, "--json"])
    assert answer.exit_code == 0, answer.output
    said: dict[str, Any] = json.loads(answer.stdout)
    return said


def test_the_keys_say_what_was_rotated_and_what_signs_nothing_any_more() -> None:
    answered("keys", "init")

    rotated = answered("keys", "rotate", "evidence")
    older = answered("keys", "show")["evidence"][1]
    retired = answered("keys", "retire", "evidence", older)

    assert rotated == {"rotated": "evidence"}
    assert retired == {"key": "evidence", "retired": older, "publish": "public/evidence.jwks.json"}


def test_the_clock_says_what_time_it_is_after_it_was_moved() -> None:
    before = answered("clock", "show")["now"]

    moved = answered("clock", "advance", "--days", "40")["now"]

    assert before < moved <= answered("clock", "show")["now"]


def test_a_stack_that_does_not_run_is_stopped_and_its_data_deleted(tmp_path: Path) -> None:
    assert answered("stack", "down") == {"home": str(tmp_path), "stopped": True}
    assert answered("stack", "reset", "--yes") == {"home": str(tmp_path), "deleted": True}


def test_a_system_that_was_begun_says_its_files(tmp_path: Path) -> None:
    said = answered("systems", "new", "manual", "archive")

    folder = tmp_path / "systems"
    files = [str(folder / "archive.yaml"), str(folder / "datasets" / "archive.yaml")]
    assert said == {"system": "archive", "files": files}


def test_a_draft_is_handed_over_or_where_it_was_written(tmp_path: Path) -> None:
    url = tmp_path / "url"
    url.write_text(f"sqlite:///{_database(tmp_path)}")
    url.chmod(0o600)

    draft = answered("systems", "import", "shop", "--url-file", str(url))["draft"]
    said = answered("systems", "import", "shop", "--url-file", str(url), "--to", str(tmp_path / "map.yaml"))

    assert said == {"file": str(tmp_path / "map.yaml")}
    assert (tmp_path / "map.yaml").read_text() == draft


def _database(folder: Path) -> Path:
    with closing(sqlite3.connect(folder / "shop.sqlite")) as connection:
        connection.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT)")
    return folder / "shop.sqlite"
