"""De-identifying by a random value: the form stays, the person goes, and what was treated is known for certain."""

import re
import sqlite3
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.fulfillment.connecting import adapter_of
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.random_values import random_like
from services.fulfillment.datamap.systems import load_system
from services.fulfillment.ports import Adapter, Done, Frozen, Gone, StillPresent, Subject
from services.fulfillment.rowwise.treating import identifying, replacements
from shared.clock import SystemClock

NOW = datetime(2026, 2, 3, tzinfo=UTC)
KEY = "0123456789abcdef"


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("+1 (415) 555-0134", r"\+\d \(\d{3}\) \d{3}-\d{4}"),
        ("Ada.Lovelace@Example.com", r"[A-Z][a-z]{2}\.[A-Z][a-z]{7}@[A-Z][a-z]{6}\.[a-z]{3}"),
        ("4T1BF1FK5CU512345", r"\d[A-Z]\d[A-Z]{2}\d[A-Z]{2}\d[A-Z]{2}\d{6}"),
        ("", ""),
    ],
)
def test_a_random_text_has_the_form_of_the_old_one(value: str, form: str) -> None:
    assert re.fullmatch(form, random_like(value))


@pytest.mark.parametrize("value", [-417, 0, 7, 32767, 2_147_483_647, 9_007_199_254_740_993])
def test_a_random_number_fits_where_the_old_one_did(value: int) -> None:
    for _ in range(50):
        made = random_like(value)
        assert len(str(abs(made))) == len(str(abs(value)))
        assert (made < 0) <= (value < 0)
        assert abs(made).bit_length() <= max(abs(value).bit_length(), 15) or abs(value) < 10**9


@pytest.mark.parametrize(
    "value",
    [
        True,
        1.5,
        Decimal("12.50"),
        date(1990, 5, 1),
        datetime(1990, 5, 1, 12, tzinfo=UTC),
        UUID(int=7),
        b"abcd",
        ["a1", "b2"],
    ],
)
def test_a_random_value_is_of_the_same_kind(value: Any) -> None:
    assert type(random_like(value)) is type(value)


def test_nothing_stays_nothing_and_what_has_no_form_becomes_nothing() -> None:
    assert random_like(None) is None
    assert random_like({"a": 1}) is None


def test_many_random_values_are_many() -> None:
    assert len({random_like("415-555-0134") for _ in range(100)}) > 90


def shop(
    folder: Path, marker: str = ", fides_meta: {habeas: {deidentify: {strategy: constant, value: removed}}}"
) -> Any:
    """A system of one table whose phone numbers are replaced at random."""
    database = sqlite3.connect(folder / "shop.sqlite")
    with database:
        database.execute("CREATE TABLE buyers (id INTEGER PRIMARY KEY, name TEXT, email TEXT, phone TEXT)")
        database.executemany(
            "INSERT INTO buyers VALUES (?, ?, ?, ?)",
            [(1, "Ada", "ada@example.com", "415-555-0134"), (2, "Eve", "eve@example.com", "415-555-0199")],
        )
    database.close()
    (folder / "url").write_text(f"sqlite:///{folder}/shop.sqlite")
    (folder / "map.yml").write_text(f"""
dataset:
  - fides_key: shop
    collections:
      - name: buyers
        fields:
          - {{name: id, fides_meta: {{primary_key: true}}}}
          - {{name: name, data_categories: [user.name]{marker}}}
          - {{name: email, data_categories: [user.contact.email], fides_meta: {{identity: email}}}}
          - name: phone
            data_categories: [user.contact.phone_number]
            fides_meta: {{habeas: {{deidentify: random}}}}
""")
    (folder / "shop.yaml").write_text(
        "system: shop\nkind: sql\nbusiness: c\nurl: {file: url}\ndataset: map.yml\n"
    )
    return load_system(folder / "shop.yaml", home=folder)


def rows(folder: Path) -> list[tuple[Any, ...]]:
    database = sqlite3.connect(folder / "shop.sqlite")
    found = database.execute("SELECT name, phone FROM buyers ORDER BY id").fetchall()
    database.close()
    return found


async def found(adapter: Adapter) -> Frozen:
    frozen = await adapter.find(Subject({"email": "ada@example.com"}), cut_off=NOW)
    assert isinstance(frozen, Frozen)
    return frozen


async def test_a_row_is_treated_once_and_the_proof_knows(tmp_path: Path) -> None:
    adapter = adapter_of(shop(tmp_path), SystemClock())
    frozen = await found(adapter)
    before = await adapter.prove("delete", frozen, cut_off=NOW)

    outcome = await adapter.act("delete", frozen, cut_off=NOW, idempotency_key=KEY)
    [(name, phone), other] = rows(tmp_path)
    proof = await adapter.prove("delete", frozen, cut_off=NOW)
    again = await adapter.act("delete", frozen, cut_off=NOW, idempotency_key=KEY)

    assert isinstance(before, StillPresent)
    assert isinstance(outcome, Done)
    assert name == "removed"
    assert re.fullmatch(r"\d{3}-\d{3}-\d{4}", phone)
    assert other == ("Eve", "415-555-0199")
    assert isinstance(proof, Gone)
    assert rows(tmp_path) == [(name, phone), other]
    assert isinstance(again, Done)
    await adapter.close()


def test_a_random_column_needs_another_that_says_that_the_row_was_treated(tmp_path: Path) -> None:
    with pytest.raises(MapError, match=r"fields\.phone: nobody can tell a random value"):
        shop(tmp_path, marker="")


def test_a_document_without_the_telling_field_is_not_taken_for_treated(tmp_path: Path) -> None:
    buyers = shop(tmp_path).datamap.collections["buyers"]
    row = {"id": 1, "phone": "415-555-0134"}

    treated = {**row, **replacements(buyers, row, b"")}

    assert identifying(buyers, row)
    assert treated["name"] == "removed"
    assert not identifying(buyers, treated)
