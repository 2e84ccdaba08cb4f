"""What only a database file can do to the sql adapter: be locked whole, spell times in many ways."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.fulfillment.adapters.sql import questions
from services.fulfillment.datamap.systems import Limits
from services.fulfillment.ports import Frozen, NeedsPerson, Retry
from tests.support.shop import CUT_OFF, EMAIL, FOUND, Shop, sha256, sqlite_shop, subject

KEY = "0123456789abcdef"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    opened = await sqlite_shop(tmp_path).open()
    yield opened
    await opened.close()


async def test_a_file_that_another_writer_has_locked_is_tried_again_later(shop: Shop) -> None:
    frozen = Frozen({"orders": tuple(FOUND["orders"])})
    adapter = shop.adapter(shop.system(limits=Limits(statement_seconds=0.1)))
    writer = sqlite3.connect(shop.home / "shop.sqlite", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")

    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    writer.rollback()
    writer.close()
    assert isinstance(outcome, Retry)


async def test_very_many_rows_are_found_some_at_a_time_and_are_the_same(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await shop.adapter().find(subject(), cut_off=CUT_OFF)

    monkeypatch.setattr(questions, "MOST_AT_ONCE", 1)
    by_pages = await shop.adapter().find(subject(), cut_off=CUT_OFF)

    assert isinstance(whole, Frozen)
    assert isinstance(by_pages, Frozen)
    assert max(map(len, whole.rows.values())) > 1
    assert by_pages.digest() == whole.digest()


async def test_a_file_that_is_no_database_is_for_a_person(shop: Shop) -> None:
    file = shop.home / "text.sqlite"
    file.write_text("this is no database " * 100)

    answer = await shop.adapter(shop.system(f"sqlite:///{file}")).find(subject(), cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == "refused"


async def test_a_secret_that_is_no_address_is_a_matter_of_credentials(shop: Shop) -> None:
    answer = await shop.adapter(shop.system("not an address")).find(subject(), cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == "credentials"
    assert "not an address" not in answer.reason


@pytest.mark.parametrize(
    ("written", "is_found"),
    [
        ("2026-03-01 11:59:59", True),
        ("2026-03-01T12:00:00Z", True),
        ("2026-03-01T04:00:00-08:00", True),
        ("2026-03-01", True),
        ("2026-03-01 12:00:01", False),
        ("2026-03-01T04:00:01-08:00", False),
        ("no time at all", True),
    ],
)
async def test_times_are_compared_however_they_are_spelt(shop: Shop, written: str, *, is_found: bool) -> None:
    await shop.run("DELETE FROM newsletter")
    await shop.add("newsletter", id=400, email_sha256=sha256(EMAIL), created_at=written)

    frozen = await shop.adapter().find(subject(), cut_off=CUT_OFF)

    assert isinstance(frozen, Frozen)
    assert ("newsletter" in frozen.rows) is is_found
