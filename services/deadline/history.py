"""How long systems took, kept in the transaction that hears of it: what predictions of lateness rest on.

Taken in any order, and again, the same facts leave the same rows. What nine of ten took is counted once an hour.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

import asyncpg

from services.deadline.domain.work import Pace, Usual
from shared.events.fulfillment import RequestFulfilled, TaskSettled, TasksPlanned
from shared.machine.decision import Message
from shared.machine.ports import Transaction
from shared.machine.storage import PostgresTransaction

LOOKED_AT: Final = timedelta(days=90)
KEPT: Final = timedelta(days=365)

_REMEMBER = """
INSERT INTO system_work AS w (request_id, system, asked, planned_at, settled_at)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[])
  AS n(request_id, system, asked, planned_at, settled_at)
ORDER BY request_id, system
ON CONFLICT (request_id, system) DO UPDATE SET
  planned_at = coalesce(w.planned_at, excluded.planned_at),
  settled_at = least(w.settled_at, excluded.settled_at)
WHERE (w.planned_at IS NULL AND excluded.planned_at IS NOT NULL)
   OR least(w.settled_at, excluded.settled_at) IS DISTINCT FROM w.settled_at"""

_PACE = """
SELECT system, asked, count(*) AS seen,
  percentile_disc(0.9) WITHIN GROUP (ORDER BY settled_at - planned_at) AS within
FROM system_work WHERE settled_at >= $1 AND planned_at IS NOT NULL
GROUP BY system, asked"""

_FORGET = "DELETE FROM system_work WHERE settled_at < $1"

Row = tuple[UUID, str, str, datetime | None, datetime | None]


class SystemHistory:
    """The table `system_work`, and what was counted of it last."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._pace: Pace = {}

    async def facts(self, transaction: Transaction, messages: Sequence[Message]) -> dict[UUID, Any]:
        """Keep what these messages say of systems; every request is told what is usual."""
        rows = _merged(row for message in messages for row in _rows(message))
        if rows:
            connection = cast("PostgresTransaction", transaction).connection
            await connection.execute(_REMEMBER, *(list(column) for column in zip(*rows, strict=True)))
        return {message.request_id: self._pace for message in messages}

    async def count(self, now: datetime) -> None:
        """Count what is usual by now, and forget what is old."""
        await self._pool.execute(_FORGET, now - KEPT)
        found = await self._pool.fetch(_PACE, now - LOOKED_AT)
        self._pace = {
            (row["system"], row["asked"]): Usual(seen=row["seen"], within=row["within"]) for row in found
        }


def _rows(message: Message) -> Iterator[Row]:
    match message.body:
        case TasksPlanned(right=right, systems=systems):
            yield from ((message.request_id, system, str(right), message.at, None) for system in systems)
        # What was taken back says nothing about how long the system takes.
        case TaskSettled(right=right, settled=settled) if settled.outcome != "canceled":
            yield message.request_id, settled.system, str(right), None, message.at
        # What was settled shortly before the end is told by the end alone.
        case RequestFulfilled(right=right, systems=systems):
            done = (one.system for one in systems if one.outcome != "canceled")
            yield from ((message.request_id, system, str(right), None, message.at) for system in done)


def _merged(rows: Iterator[Row]) -> list[Row]:
    """One row for each system of a request: a statement may not touch a row twice."""
    found: dict[tuple[UUID, str], Row] = {}
    for row in rows:
        request_id, system, asked, planned_at, settled_at = row
        _, _, _, before, after = found.get((request_id, system), row)
        first = min((at for at in (after, settled_at) if at is not None), default=None)
        found[request_id, system] = (request_id, system, asked, before or planned_at, first)
    return list(found.values())
