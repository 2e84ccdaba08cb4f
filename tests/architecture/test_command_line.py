"""`habeas`: every command explains itself with an example that could be typed."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from tests.support.command_tree import Command, every_command

HEAVY = ("aiokafka", "asyncpg", "fastapi", "faststream", "sqlalchemy", "tink", "jinja2")

# They go on until they are stopped, or tell a story on their way: logs as they were written, one line at a time.
WITHOUT_JSON = {"serve", "demo", "stack logs"}


@pytest.mark.parametrize("command", every_command(app), ids=lambda one: one.words)
def test_every_command_shows_help_with_an_example(command: Command) -> None:
    answer = CliRunner().invoke(app, [*command.words.split(), "--help"])

    assert answer.exit_code == 0
    assert f"habeas {command.words}" in command.help, f"habeas {command.words} --help shows no example"


def test_every_command_answers_programs_too_but_for_those_that_go_on_and_tell() -> None:
    without = {command.words for command in every_command(app) if "--json" not in command.options}

    assert without == WITHOUT_JSON


def test_the_command_line_starts_without_the_libraries_that_only_services_need() -> None:
    ask = f"import deploy.cli.main, sys; print([name for name in {HEAVY!r} if name in sys.modules])"

    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)  # noqa: S603 - ours

    assert answer.stdout.strip() == "[]"
