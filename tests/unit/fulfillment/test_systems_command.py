"""`habeas systems`, as somebody types it who has made a mistake: what it says, and what it never repeats."""

import os
import pty
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.cli.main import app
from services.fulfillment.adapters.sql.adapter import SqlAdapter
from services.fulfillment.ports import CheckReport

SYSTEM = "{system: shop, kind: sql, business: cascadia, url: {file: shop.url}, dataset: maps/shop.yaml}"
MAP = """
fides_key: shop
collections:
  - name: people
    fields:
      - {name: id, fides_meta: {primary_key: true}}
      - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
      - {name: number, fides_meta: {identity: customer_id}}
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system that can be used; its database."""
    (tmp_path / "maps").mkdir()
    (tmp_path / "shop.yaml").write_text(SYSTEM)
    (tmp_path / "maps" / "shop.yaml").write_text(MAP)
    (tmp_path / "shop.url").write_text(f"sqlite:///{tmp_path}/shop.sqlite")
    monkeypatch.setenv("HABEAS_HOME", str(tmp_path))
    monkeypatch.setenv("HABEAS_FULFILLMENT_SYSTEMS", str(tmp_path))
    run(tmp_path / "shop.sqlite", "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, number TEXT)")
    return tmp_path / "shop.sqlite"


def run(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(statement)


def typed(*words: str, given: str = "") -> Result:
    return CliRunner().invoke(app, ["systems", *words], input=given)


@pytest.mark.usefixtures("shop")
def test_a_system_that_can_be_used_is_ok() -> None:
    answer = typed("check")

    assert (answer.exit_code, answer.output.splitlines()[0]) == (0, "shop: ok")


@pytest.mark.usefixtures("shop")
def test_a_system_is_checked_though_the_file_of_another_is_wrong_which_is_said(tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").write_text(SYSTEM.replace("system: shop", "system: desk, tittle: Desk"))

    one, all_of_them, other = typed("check", "shop"), typed("check"), typed("check", "desk")

    assert (one.exit_code, one.stdout) == (0, "shop: ok\n")
    assert one.stderr == "Files of other systems are wrong: habeas systems check says what is.\n"
    assert (all_of_them.exit_code, all_of_them.stdout) == (3, "shop: ok\n")
    wrong = f"{tmp_path}/desk.yaml: tittle: unknown key; did you mean title?\n"
    assert all_of_them.stderr == wrong
    assert (other.exit_code, other.stdout) == (3, "")
    assert other.stderr == f"{wrong}system: no desk can be used; these can: shop\n"


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("told", ["plan", "coverage"])
def test_a_system_is_told_though_the_file_of_another_is_wrong_which_is_said_after_it(
    told: str, tmp_path: Path
) -> None:
    whole = typed(told)
    (tmp_path / "desk.yaml").write_text(SYSTEM.replace("system: shop", "system: desk, tittle: Desk"))

    one, all_of_them, other = typed(told, "shop"), typed(told), typed(told, "desk")

    assert whole.exit_code == 0
    assert (one.exit_code, one.stdout) == (0, whole.stdout)
    assert one.stderr == "Files of other systems are wrong: habeas systems check says what is.\n"
    assert (all_of_them.exit_code, all_of_them.stdout) == (3, whole.stdout)
    assert "tittle: unknown key" in all_of_them.stderr
    assert (other.exit_code, other.stdout) == (3, "")
    assert "system: no desk can be used; these can: shop" in other.stderr


@pytest.mark.usefixtures("shop")
def test_a_notice_is_not_made_of_a_part_of_the_maps(tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").write_text(SYSTEM.replace("system: shop", "system: desk, tittle: Desk"))

    answer = CliRunner().invoke(app, ["notices", "policy", "--business", "cascadia"])

    assert (answer.exit_code, answer.stdout) == (3, "")
    assert "tittle: unknown key" in answer.stderr


@pytest.mark.usefixtures("shop")
def test_an_adapter_that_fails_by_itself_is_told_by_its_kind_and_the_others_are_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "desk.yaml").write_text(SYSTEM.replace("system: shop", "system: desk, order: 9"))
    sound = SqlAdapter.check

    async def fails_at_the_desk(adapter: SqlAdapter) -> CheckReport:
        if adapter._system.system == "desk":  # noqa: SLF001 - which of the two it is
            raise ValueError("hush-secret")
        return await sound(adapter)

    monkeypatch.setattr(SqlAdapter, "check", fails_at_the_desk)

    answer = typed("check")

    assert answer.exit_code == 3
    assert "shop: ok\n" in answer.stdout
    assert "desk: cannot be used\n  the check failed by itself (ValueError)" in answer.stdout
    assert "hush" not in answer.output


@pytest.mark.usefixtures("shop")
def test_what_refers_to_a_map_that_cannot_be_read_is_not_said_to_lead_nowhere(tmp_path: Path) -> None:
    reference = "fides_meta: {references: [{dataset: desk, field: people.email}]}"
    (tmp_path / "maps" / "shop.yaml").write_text(MAP.replace("fides_meta: {identity: email}", reference))
    (tmp_path / "desk.yaml").write_text(
        SYSTEM.replace("system: shop", "system: desk").replace("maps/shop", "maps/desk")
    )
    (tmp_path / "maps" / "desk.yaml").write_text(
        MAP.replace("fides_key: shop", "fides_key: desk\nwhat: ever")
    )

    answer = typed("check")

    (said,) = answer.stderr.splitlines()
    assert said.startswith(f"{tmp_path}/maps/desk.yaml: dataset: unknown key 'what'")


def test_a_column_that_looks_personal_and_that_no_map_knows_is_an_alarm(shop: Path) -> None:
    run(shop, "ALTER TABLE people ADD COLUMN home_phone TEXT")

    answer = typed("check")

    assert answer.exit_code == 4
    assert answer.output.startswith("shop: ok, but ALARM")
    assert "people.home_phone: looks personal and is not in the map: add it" in answer.output


def test_a_schema_that_changed_under_the_map_makes_a_system_unusable_whatever_else_is_alarming(
    shop: Path,
) -> None:
    run(shop, "ALTER TABLE people RENAME COLUMN email TO mail")

    answer = typed("check")

    assert answer.exit_code == 3
    assert answer.output.startswith("shop: cannot be used")
    assert "people.email: is in the map and not in the system" in answer.output


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        (
            ["--identity", "-"],
            "ada@example.com\nada lovelace\n",
            "identity: line 2: no map looks for such a kind",
        ),
        (["--identity", "-"], "\n", "identity: no line holds an identifier"),
        (["--by", "shoe"], "", "by: no map looks for 'shoe'; known: customer_id, email, phone"),
        (["shoes"], "", "system: there is no shoes; known: shop"),
    ],
)
def test_a_plan_from_something_that_no_map_looks_for_is_refused_and_nobody_is_named(
    words: list[str], given: str, said: str
) -> None:
    answer = typed("plan", *words, given=given)

    assert answer.exit_code == 2
    assert said in answer.output
    assert "ada" not in answer.output


@pytest.mark.usefixtures("shop")
def test_a_kind_that_only_another_system_knows_is_no_mistake() -> None:
    answer = typed("plan", "shop", "--identity", "-", given="ada@example.com\n+1 415 555 0101\n")

    assert answer.exit_code == 0
    assert answer.output.startswith("shop: starting from email, phone")


@pytest.mark.usefixtures("shop")
def test_a_terminal_is_told_what_a_check_waits_for_and_a_program_is_not() -> None:
    shown = errors_in_a_terminal("check")
    read = errors_in_a_terminal("check", "--json")

    assert "Waiting for shop" in shown
    assert shown.endswith("\r\x1b[K")
    assert read == ""


def errors_in_a_terminal(*words: str) -> str:
    """What somebody at a terminal sees of standard error."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "deploy.cli.main", "systems", *words]
    subprocess.run(command, stderr=theirs, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - ours
    os.write(theirs, b"end")  # an empty terminal would be waited for
    os.close(theirs)
    seen = os.read(ours, 10_000).decode().removesuffix("end")
    os.close(ours)
    return seen
