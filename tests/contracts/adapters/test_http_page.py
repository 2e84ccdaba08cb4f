"""The page on plugging in a system over HTTP: its commands run as they stand there, and it names every key there is."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from deploy.cli.main import app
from services.fulfillment.adapters.http import connector as models
from services.fulfillment.adapters.http.reading import load_connector
from services.fulfillment.adapters.http.templates import FILTERS
from services.fulfillment.datamap.systems import load_system

PAGE = Path("docs/plug-in-an-http-system.md").read_text()
MODELS = [
    each
    for each in vars(models).values()
    if isinstance(each, type) and issubclass(each, models.Part) and each is not models.Part
]
SHIPPED = sorted(Path("deploy/connectors").glob("*.yaml"))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


async def test_its_commands_run_word_for_word_and_say_what_it_shows(tmp_path: Path) -> None:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    typed = "set -e\n" + "\n".join(blocks("sh"))

    code, shown, errors = await asyncio.to_thread(typed_into_a_shell, typed, tmp_path, programs)

    assert code == 0, errors
    assert shown.strip() == blocks("text")[0].strip()


def typed_into_a_shell(typed: str, folder: Path, programs: str) -> tuple[int, str, str]:
    """The exit code, output and errors; nothing that was begun outlives it, whichever of the commands fails."""
    shell = subprocess.Popen(  # noqa: S603 - the page's own commands
        ["/bin/sh", "-c", typed], cwd=folder, env={**os.environ, "PATH": programs},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    with shell:
        try:
            shell.wait(timeout=120)
        finally:
            # What is left of it would hold the pipes open, and its port.
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
        shown, errors = shell.communicate()
    return shell.returncode, shown, errors


@pytest.mark.parametrize("model", MODELS, ids=lambda each: each.__name__)
def test_it_names_every_key(model: type[BaseModel]) -> None:
    names = {field.alias or name for name, field in model.model_fields.items()}

    assert {name for name in names if not re.search(rf"\b{name}\b", PAGE)} == set()


def test_it_names_every_filter_and_every_vendor() -> None:
    vendors = [load_connector(file).title.split()[0] for file in SHIPPED]

    assert [name for name in FILTERS if f"`{name}`" not in PAGE] == []
    assert [vendor for vendor in vendors if vendor not in PAGE] == []


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_what_is_written_for_a_vendor_only_lacks_what_a_person_must_say(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HABEAS_FULFILLMENT_SYSTEMS", str(tmp_path))

    answer = CliRunner().invoke(app, ["systems", "new", "http", "theirs", "--connector", file.stem])

    assert answer.exit_code == 0, answer.output
    system = load_system(tmp_path / "theirs.yaml", home=tmp_path)
    assert set(system.secrets) == load_connector(file).secrets()
    assert set(system.settings) == set(load_connector(file).settings)
    told = CliRunner().invoke(app, ["systems", "plan", "theirs"])
    assert told.exit_code == 0, told.output
    assert "Ask, over HTTP" in told.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cobol", "theirs"], "KIND: this command knows http, "),
        (["http", "Theirs!"], "NAME: write it in small letters"),
        (["http", "theirs", "--connector", "abacus"], "shipped: hubspot, intercom"),
    ],
)
def test_what_cannot_be_written_is_said_with_the_way_out(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HABEAS_FULFILLMENT_SYSTEMS", str(tmp_path))

    answer = CliRunner().invoke(app, ["systems", "new", *words])

    assert answer.exit_code == 2
    assert said in answer.output
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HABEAS_FULFILLMENT_SYSTEMS", str(tmp_path))
    (tmp_path / "theirs.yaml").write_text("mine")

    answer = CliRunner().invoke(app, ["systems", "new", "http", "theirs"])

    assert answer.exit_code == 2
    assert "is there already" in answer.output
    assert (tmp_path / "theirs.yaml").read_text() == "mine"
