"""Migrations that fill a new table or column with what was there: on rows of before, in a schema that goes again."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import asyncpg
import pytest

import deploy.migrations

pytestmark = pytest.mark.connected
SCRIPTS = Path(deploy.migrations.__file__).parent
ADA, BOB = b"\x00\x01a", b"\x00\x01b"
OPTED_OUT = '{"opt_out/1": "2026-02-03T00:00:00Z", "delete/2": "2026-02-03T00:00:00Z"}'
DELETED = '{"delete/3": "2026-02-03T00:00:00Z"}'


@pytest.fixture
async def before(store_admin: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """An empty schema, in a transaction that is rolled back."""
    transaction = store_admin.transaction()
    await transaction.start()
    await store_admin.execute("CREATE SCHEMA earlier; SET LOCAL search_path TO earlier")
    yield store_admin
    await transaction.rollback()


async def ran(connection: asyncpg.Connection, script: str) -> None:
    await connection.execute((SCRIPTS / script).read_text("utf-8"))


async def test_who_opted_out_before_is_not_asked_too_early(before: asyncpg.Connection) -> None:
    await ran(before, "fulfillment_after_deletion.sql")
    await before.executemany(
        "INSERT INTO suppressed VALUES ($1, 'delete opt_out', 'cascadia', $2::jsonb, '2028-02-29T12:00:00Z', 1)",
        [(ADA, OPTED_OUT), (BOB, DELETED)],
    )

    await ran(before, "fulfillment_waits.sql")

    rows = await before.fetch("SELECT hash, waits, ask_again_from FROM suppressed ORDER BY hash")
    assert [row["ask_again_from"] for row in rows] == [date(2029, 3, 1), None]
    assert [row["waits"] for row in rows] == ['{"opt_out/1": "2029-03-01"}', "{}"]


async def test_appeals_of_before_hold_their_place(before: asyncpg.Connection) -> None:
    denied, appeal = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
    await before.execute("CREATE TABLE cases (request_id uuid, body text)")
    linked = f'{{"linked": {{"kind": "appeal", "request_id": "{denied}", "right": "delete"}}}}'
    await before.executemany(
        "INSERT INTO cases VALUES ($1, $2)",
        [(appeal, linked), (denied, '{"right": "delete"}'), (denied, None)],
    )

    await ran(before, "intake_appeals.sql")

    assert [tuple(map(str, row)) for row in await before.fetch("SELECT * FROM appeals")] == [(denied, appeal)]
