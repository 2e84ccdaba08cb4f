"""`habeas systems import`: a draft that loads, hides nothing, and marks what was guessed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from deploy.cli.main import app
from services.fulfillment.datamap.explain import explain
from services.fulfillment.datamap.folder import load_systems

SHOP = """
CREATE TABLE customers (
  id INTEGER PRIMARY KEY, email TEXT, first_name TEXT, ssn TEXT, loyalty INTEGER, email_verified BOOLEAN,
  created_at TEXT
);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), item TEXT, ordered TEXT);
CREATE TABLE "odd names" (key TEXT, "phone number" TEXT);
INSERT INTO customers VALUES (1, 'ada@example.com', 'Ada', '123-45-6789', 3, 1, '2026-01-01');
"""
SYSTEM = """
system: shop
kind: sql
business: cascadia
url: {file: secrets/shop.url}
dataset: datasets/shop.yaml
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    database = sqlite3.connect(tmp_path / "shop.sqlite")
    database.executescript(SHOP)
    database.close()
    (tmp_path / "secrets").mkdir()
    url = tmp_path / "secrets" / "shop.url"
    url.write_text(f"sqlite:///{tmp_path}/shop.sqlite")
    url.chmod(0o600)
    (tmp_path / "systems" / "datasets").mkdir(parents=True)
    (tmp_path / "systems" / "shop.yaml").write_text(SYSTEM)
    return tmp_path


def drafted(home: Path, *options: str) -> Result:
    arguments = ["systems", "import", "shop", "--url-file", str(home / "secrets" / "shop.url"), *options]
    return CliRunner().invoke(app, arguments)


def test_every_table_and_column_is_in_the_draft_and_no_row_of_it(home: Path) -> None:
    [dataset] = yaml.safe_load(drafted(home).stdout)["dataset"]

    assert {each["name"]: [one["name"] for one in each["fields"]] for each in dataset["collections"]} == {
        "customers": ["id", "email", "first_name", "ssn", "loyalty", "email_verified", "created_at"],
        "odd names": ["key", "phone number"],
        "orders": ["id", "customer_id", "item", "ordered"],
    }
    assert "ada@example.com" not in drafted(home).stdout


def test_guesses_and_open_questions_are_marked(home: Path) -> None:
    lines = {
        line.split("name: ")[1].split(",")[0].split("}")[0]: line
        for line in drafted(home).stdout.splitlines()
        if "{name: " in line
    }

    assert "user.contact.email" in lines["email"]
    assert "identity: email" in lines["email"]
    assert "user.government_id.national_identification_number" in lines["ssn"]
    assert all(lines[name].endswith("# guessed") for name in ("email", "first_name", "ssn"))
    assert all(lines[name].endswith("# ?") for name in ("loyalty", "item", "email_verified", "ordered"))
    assert "references: [{dataset: shop, field: customers.id, direction: from}]" in lines["customer_id"]


def test_columns_of_json_are_opened_by_the_names_inside_them_and_no_value_is_drafted(home: Path) -> None:
    with closing(sqlite3.connect(home / "shop.sqlite")) as database:
        database.execute("CREATE TABLE leads (id INTEGER PRIMARY KEY, profile JSON, lookup JSON, spare JSON)")
        profile = '{"email": "ada@example.com", "prefs": {"theme": "dark"}, "kin": [{"first_name": "Bo"}]}'
        lead = (profile, '{"ada@example.com": {"seen": 1}}')
        database.execute("INSERT INTO leads (profile, lookup) VALUES (?, ?)", lead)
        database.commit()

    drawn = drafted(home, "--to", str(home / "systems" / "datasets" / "shop.yaml"))
    text = (home / "systems" / "datasets" / "shop.yaml").read_text()

    assert drawn.exit_code == 0
    assert "ada@" not in text
    assert "{name: lookup}  # ?  # the names inside look like values" in text
    [system] = load_systems(home / "systems", home=home)
    leads = system.datamap.collections["leads"].fields
    assert list(leads) == [
        "id",
        "profile.email",
        "profile.kin.first_name",
        "profile.prefs.theme",
        "lookup",
        "spare",
    ]
    assert leads["profile.email"].identity == "email"


def test_a_draft_can_be_loaded_and_its_walk_be_read(home: Path) -> None:
    result = drafted(home, "--to", str(home / "systems" / "datasets" / "shop.yaml"))

    assert result.exit_code == 0
    [system] = load_systems(home / "systems", home=home)
    assert "orders where customer_id = customers.id" in explain(system.datamap, {"email"})


def test_what_is_there_is_never_overwritten(home: Path) -> None:
    mine = home / "systems" / "datasets" / "shop.yaml"
    mine.write_text("mine")

    result = drafted(home, "--to", str(mine))

    assert result.exit_code == 2
    assert "is there already" in result.stderr
    assert mine.read_text() == "mine"


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("no address", "holds no address"),
        ("sqlite:////nowhere/shop.sqlite", "its file is not there, or not for this account"),
        ("postgresql://role:hunter2@127.0.0.1:1/x", "nothing listens at its host and port"),
    ],
)
def test_a_database_that_cannot_be_read_is_one_sentence_with_the_cause_and_without_its_password(
    home: Path, address: str, sentence: str
) -> None:
    (home / "secrets" / "shop.url").write_text(address)

    result = drafted(home)

    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "hunter2" not in result.output


def test_a_schema_that_is_not_there_is_told_with_those_that_are(home: Path) -> None:
    result = drafted(home, "--schema", "sales")

    assert result.exit_code == 2
    assert result.stderr == "--schema: the database has no sales; it has main.\n"


def test_an_address_that_others_can_read_is_refused(home: Path) -> None:
    (home / "secrets" / "shop.url").chmod(0o644)

    result = drafted(home)

    assert result.exit_code == 2
    assert "chmod" in result.stderr
