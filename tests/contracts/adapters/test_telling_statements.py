"""What `habeas systems plan` tells of a database: the statements themselves, and nobody's values."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from services.fulfillment.adapters.sql.telling import statements_of
from services.fulfillment.datamap.systems import Secret
from tests.support.nested_worlds import InSql
from tests.support.shop import EMAIL, Shop, sqlite_shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return sqlite_shop(tmp_path)


def told(text: str) -> Iterator[str]:
    yield from (line.strip() for line in text.splitlines() if line.strip().endswith(";"))


async def test_every_statement_that_is_told_is_one_that_the_database_understands(
    shop: Shop,
) -> None:
    await shop.open()
    system = shop.system()
    statements = list(told(statements_of(system, {"email", "phone"})))
    await shop.close()

    with closing(sqlite3.connect(shop.adapter_url.removeprefix("sqlite:///"))) as database:
        for statement in statements:
            # A list of keys of two columns is a list of pairs.
            pairs = re.sub(r"(\([\w.]+, [\w.]+\)) IN \(:\w+, \.\.\.\)", r"\1 IN (SELECT 1, 2)", statement)
            said = pairs.replace(", ...)", ")")
            database.execute(f"EXPLAIN {said}", dict.fromkeys(re.findall(r":(\w+)", said)))
    assert not [each for each in statements if "1 = 1" in each], (
        "a condition that says nothing hides those that do"
    )
    verbs = [statement.split()[0] for statement in statements]
    assert {verb: verbs.count(verb) for verb in set(verbs)} == {"SELECT": 13, "DELETE": 5, "UPDATE": 5}


async def test_statements_on_columns_of_json_are_understood_too_and_hold_the_maps_words_alone(
    tmp_path: Path,
) -> None:
    address = sqlite_shop(tmp_path).adapter_url
    town = await InSql(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/shop.sqlite", address, "TEXT").open()
    text = statements_of(town.system(), {"email", "phone"})
    await town.close()

    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as database:
        for statement in told(text):
            said = statement.replace(", ...)", ")")
            database.execute(f"EXPLAIN {said}", dict.fromkeys(re.findall(r":(\w+)", said)))
    assert '\'$."prefs"."no_sale"\'' in text
    assert "canary" not in text.lower()


def test_a_database_that_is_not_known_here_is_told_of_as_postgresql(shop: Shop, tmp_path: Path) -> None:
    system = shop.system().model_copy(update={"url": Secret(file=tmp_path / "nowhere.url")})

    assert "any(:param_1)" in statements_of(system, {"email"})


def test_an_identity_from_standard_input_is_told_by_its_kinds_and_never_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HABEAS_FULFILLMENT_SYSTEMS", "deploy/systems")
    person = f"{EMAIL}\ncustomer_id C-1042\n"

    answer = CliRunner().invoke(
        app, ["systems", "plan", "cascadia-dms", "--identity", "-", "--statements"], input=person
    )

    assert answer.exit_code == 0
    assert "starting from customer_id, email" in answer.output
    assert "SELECT customers." in answer.output
    assert "canary" not in answer.output
    assert "C-1042" not in answer.output
