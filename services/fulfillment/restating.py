"""What holds of every suppressed hash, said once more: for a topic that was lost, or a reader that begins anew."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

import asyncpg

from services.fulfillment.suppression import suppression_of
from shared.machine.ports import Writes
from shared.machine.state_records import state_row
from shared.machine.storage import PostgresTransaction

SERVICE: Final = "fulfillment"
EACH: Final = 1000
_SOME = """
SELECT hash, rights, business, since, version, ask_again_from FROM suppressed
WHERE hash > $1 ORDER BY hash LIMIT $2 FOR UPDATE"""


async def restate(connection: asyncpg.Connection, now: datetime) -> AsyncIterator[int]:
    """Put every hash's record into the outbox again; how many, after each transaction of them.

    A row stays locked until its record is there: what changes it meanwhile is said after it.
    """
    last = b""
    while hashes := await _restated(connection, last, now):
        last = hashes[-1]
        yield len(hashes)


async def _restated(connection: asyncpg.Connection, after: bytes, now: datetime) -> list[bytes]:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL search_path TO {SERVICE}")
        rows = await connection.fetch(_SOME, after, EACH)
        records = [state_row(suppression_of(row).record(), SERVICE, now) for row in rows]
        await PostgresTransaction(connection).write(Writes(outbox=records))
    return [row["hash"] for row in rows]
