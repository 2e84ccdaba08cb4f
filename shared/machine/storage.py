"""The store in PostgreSQL: bulk statements over arrays, one transaction per batch.

asyncpg is used directly (ADR 0004): every statement here works on arrays of rows, so that a batch costs a fixed
number of round trips however many requests it holds.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from shared.events.envelope import Raw
from shared.machine import statements as sql
from shared.machine.ports import CaseRow, FinishedTask, OutboxRow, Transaction, Writes

SHARDS = 16


class PostgresStore:
    """A service's cases in its own schema."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One READ COMMITTED transaction; row locks give the order."""
        async with self.pool.acquire() as connection, connection.transaction():
            yield PostgresTransaction(connection)

    async def ready_parked(self, limit: int) -> list[Raw]:
        """Parked records whose turn has come."""
        rows = await self.pool.fetch(sql.READY_PARKED, limit)
        return [parked_raw(row) for row in rows]

    async def oldest_gap_seconds(self) -> float:
        """How long the longest-waiting parked record has waited, on the database's clock."""
        return float(await self.pool.fetchval(sql.OLDEST_GAP) or 0.0)


class PostgresTransaction:
    """The statements of one transaction."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def lock(self, request_ids: Sequence[UUID], month: date) -> dict[UUID, CaseRow]:
        """Insert missing rows, then lock in request-id order, so that two batches cannot deadlock."""
        ids = sorted(set(request_ids))
        await self.connection.execute(sql.INSERT_CASES, ids, month)
        rows = await self.connection.fetch(sql.LOCK_CASES, ids)
        return {row["request_id"]: case_row(row) for row in rows}

    async def lock_due(self, now: datetime, limit: int) -> dict[UUID, CaseRow]:
        """Lock due cases that nobody else holds."""
        rows = await self.connection.fetch(sql.LOCK_DUE, now, limit)
        return {row["request_id"]: case_row(row) for row in rows}

    async def seen_commands(self, commands: Sequence[tuple[UUID, str, UUID]]) -> set[tuple[str, UUID]]:
        """Which commands were applied before."""
        if not commands:
            return set()
        columns = [list(column) for column in zip(*commands, strict=True)]
        rows = await self.connection.fetch(sql.SEEN_COMMANDS, *columns)
        return {(row["source"], row["command_id"]) for row in rows}

    async def finish(self, finished: Sequence[FinishedTask]) -> set[UUID]:
        """Write the ends of tasks whose epoch is still the store's."""
        if not finished:
            return set()
        rows = await self.connection.fetch(
            sql.FINISH_TASKS,
            [task.task_id for task in finished],
            [task.epoch for task in finished],
            [task.status for task in finished],
            [task.result for task in finished],
        )
        return {row["task_id"] for row in rows}

    async def write(self, writes: Writes) -> None:
        """Everything that the batch decided, a statement per table."""
        await self._cases(writes.cases)
        await self._outbox(writes.outbox)
        for statement, rows in _bulk(writes):
            if rows:
                await self.connection.execute(statement, *_columns(rows))

    async def _cases(self, rows: Sequence[CaseRow]) -> None:
        if not rows:
            return
        await self.connection.execute(
            sql.UPDATE_CASES,
            *_columns(
                [
                    (
                        row.request_id, row.business, row.body, _dump(row.applied), _dump(row.sent), row.audit_seq,
                        row.audit_head, row.blocked, row.wake_at, row.closed_at,
                    )
                    for row in rows
                ]
            ),
        )  # fmt: skip

    async def _outbox(self, rows: Sequence[OutboxRow]) -> None:
        if not rows:
            return
        await self.connection.execute(
            sql.INSERT_OUTBOX,
            *_columns(
                [
                    (
                        row.opened_month, shard_of(row.key), row.topic, row.key, row.request_id, row.sequence,
                        _dump(row.headers), row.value,
                    )
                    for row in rows
                ]
            ),
        )  # fmt: skip


def shard_of(key: str) -> int:
    """The relay shard of a record's key: all topics of one request share it."""
    return int.from_bytes(key.encode()[-4:], "big") % SHARDS


def _bulk(writes: Writes) -> list[tuple[str, list[tuple[Any, ...]]]]:
    return [
        (sql.INSERT_TASKS, [
            (t.task_id, t.request_id, t.plan.key, t.plan.handler, t.plan.purpose, _dump(t.plan.body),
             t.plan.urgency, t.run_at)
            for t in writes.tasks
        ]),
        (sql.HURRY_TASKS, writes.hurried),
        (sql.INSERT_AUDIT, [
            (a.request_id, a.seq, a.at, a.kind, _dump(a.facts), a.prev, a.hash) for a in writes.audit
        ]),
        (sql.INSERT_COMMANDS, writes.commands),
        (sql.INSERT_KEPT, [(rid, k.name, k.message_id, k.field, k.sealed) for rid, k in writes.kept]),
        (sql.INSERT_PARKED, [
            (rid, raw.topic, sequence, mid, _dump({n: v.decode() for n, v in raw.headers}), raw.value)
            for rid, sequence, mid, raw in writes.parked
        ]),
        (sql.DELETE_PARKED, writes.unparked),
        (sql.INSERT_DEAD, [
            (d.id, d.at, d.raw.topic, d.raw.partition, d.raw.offset, d.request_id, d.reason, d.field, d.sealed)
            for d in writes.dead
        ]),
    ]  # fmt: skip


def case_row(row: Any) -> CaseRow:
    """A case from its database row."""
    return CaseRow(
        request_id=row["request_id"],
        opened_month=row["opened_month"],
        business=row["business"],
        body=row["body"],
        applied=json.loads(row["applied"]),
        sent=json.loads(row["sent"]),
        audit_seq=row["audit_seq"],
        audit_head=row["audit_head"],
        blocked=row["blocked"],
        wake_at=row["wake_at"],
        closed_at=row["closed_at"],
    )


def parked_raw(row: Any) -> Raw:
    """A parked record as it lay on its topic; its partition and offset are not needed any more."""
    headers = tuple((name, value.encode()) for name, value in json.loads(row["headers"]).items())
    return Raw(row["topic"], -1, -1, str(row["request_id"]).encode(), headers, row["value"])


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), default=str)
