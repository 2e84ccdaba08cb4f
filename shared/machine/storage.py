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
from pydantic_core import from_json, to_json

from shared.events.envelope import Raw
from shared.machine import statements as sql
from shared.machine.decision import Kept
from shared.machine.ports import (
    CaseRow,
    CommandKey,
    FinishedTask,
    Parked,
    ParkedKey,
    Transaction,
    Writes,
)
from shared.outbox.shards import shard_of

# Requests whose rows were seen, so that they need not be inserted again; what is not known costs a statement.
MOST_KNOWN = 50_000


class PostgresStore:
    """A service's cases in its own schema."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self._known: set[UUID] = set()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One READ COMMITTED transaction; row locks give the order."""
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        async with self.pool.acquire() as connection, connection.transaction():
            yield PostgresTransaction(connection, self._known)

    async def due(self, now: datetime, limit: int) -> list[UUID]:
        """Cases whose wake-up time has come."""
        return [row["request_id"] for row in await self.pool.fetch(sql.DUE, now, limit)]

    async def ready_parked(self, limit: int) -> list[Parked]:
        """Parked records whose turn has come."""
        return [parked(row) for row in await self.pool.fetch(sql.READY_PARKED, limit)]

    async def oldest_gap_seconds(self) -> float:
        """How long the longest-waiting parked record has waited, on the database's clock."""
        return float(await self.pool.fetchval(sql.OLDEST_GAP) or 0.0)

    async def blocked_cases(self) -> int:
        """How many cases wait for a person who looks at their dead letter."""
        return int(await self.pool.fetchval(sql.BLOCKED_CASES))

    async def open_letters(self) -> int:
        """How many dead letters nobody has tried again yet."""
        return int(await self.pool.fetchval(sql.OPEN_LETTERS))


class PostgresTransaction:
    """The statements of one transaction."""

    def __init__(self, connection: asyncpg.Connection, known: set[UUID] | None = None) -> None:
        self.connection = connection
        self._known = set() if known is None else known
        self._fresh: set[UUID] = set()

    async def lock(self, request_ids: Sequence[UUID], month: date) -> dict[UUID, CaseRow]:
        """Insert missing rows, then lock the others in request-id order, so that two batches cannot deadlock."""
        ids = sorted(set(request_ids))
        found = await self._taken(ids, [one for one in ids if one not in self._known], month)
        # We knew these from a transaction that was rolled back after all.
        lacking = [one for one in ids if one not in found]
        if lacking:
            found |= await self._taken(lacking, lacking, month)
        self._known.update(ids)
        return found

    async def _taken(self, ids: Sequence[UUID], unknown: Sequence[UUID], month: date) -> dict[UUID, CaseRow]:
        found = await self._inserted(unknown, month) if unknown else {}
        others = [one for one in ids if one not in found]
        return found | await self._locked(others) if others else found

    async def _inserted(self, ids: Sequence[UUID], month: date) -> dict[UUID, CaseRow]:
        """Rows that were not there; nobody else sees them before the commit, so they need no lock."""
        rows = await self.connection.fetch(sql.INSERT_CASES, ids, month)
        self._fresh.update(row["request_id"] for row in rows)
        return {row["request_id"]: case_row(row) for row in rows}

    async def _locked(self, ids: Sequence[UUID]) -> dict[UUID, CaseRow]:
        rows = await self.connection.fetch(sql.LOCK_CASES, ids)
        return {row["request_id"]: case_row(row) for row in rows}

    async def lock_due(self, request_ids: Sequence[UUID], now: datetime) -> dict[UUID, CaseRow]:
        """Lock due cases that nobody else holds."""
        rows = await self.connection.fetch(sql.LOCK_DUE, list(request_ids), now)
        return {row["request_id"]: case_row(row) for row in rows}

    async def seen_commands(self, commands: Sequence[CommandKey]) -> set[CommandKey]:
        """Which commands were applied before; none to a case that this transaction began."""
        asked = [command for command in commands if command[0] not in self._fresh]
        if not asked:
            return set()
        rows = await self.connection.fetch(sql.SEEN_COMMANDS, *_columns(asked))
        return {(row["request_id"], row["source"], row["command_id"]) for row in rows}

    async def known_letters(self, letter_ids: Sequence[UUID]) -> set[UUID]:
        """Which dead letters are there."""
        rows = await self.connection.fetch(sql.KNOWN_LETTERS, list(letter_ids))
        return {row["id"] for row in rows}

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
        """Everything that the batch decided: what every batch writes in one statement, the rest a table each."""
        together = [(statement, rows) for statement, rows in _usual(writes) if rows]
        if together:
            columns = [column for _, rows in together for column in _columns(rows)]
            statement = sql.together(*[statement for statement, _ in together])
            await self.connection.execute(statement, *columns)
        for statement, rows in _unusual(writes):
            if rows:
                await self.connection.execute(statement, *_columns(rows))


def _usual(writes: Writes) -> list[tuple[str, list[tuple[Any, ...]]]]:
    return [
        (sql.UPDATE_CASES, [
            (c.request_id, c.business, c.body, _dump(c.applied), _dump(c.sent), c.audit_seq, c.audit_head,
             c.blocked, c.wake_at, c.closed_at)
            for c in writes.cases
        ]),
        (sql.INSERT_OUTBOX, [
            (o.opened_month, shard_of(o.key), o.topic, o.key, o.request_id, o.sequence, _dump(o.headers), o.value)
            for o in writes.outbox
        ]),
        (sql.INSERT_AUDIT, [
            (a.request_id, a.seq, a.at, a.kind, _dump(a.facts), a.prev, a.hash) for a in writes.audit
        ]),
        (sql.INSERT_TASKS, [
            (t.task_id, t.request_id, t.plan.key, t.plan.handler, t.plan.purpose, _dump(t.plan.body),
             t.plan.urgency, t.run_at)
            for t in writes.tasks
        ]),
        (sql.INSERT_KEPT, [
            (rid, k.name, k.message_id, k.field, k.sealed) for (rid, _), k in _last_kept(writes).items()
        ]),
        (sql.INSERT_COMMANDS, writes.commands),
    ]  # fmt: skip


def _unusual(writes: Writes) -> list[tuple[str, list[tuple[Any, ...]]]]:
    return [
        (sql.HURRY_TASKS, writes.hurried),
        (sql.INSERT_PARKED, [(*_parked_key(p.key), p.sequence, *_record(p.raw)) for p in writes.parked]),
        (sql.DELETE_PARKED, [_parked_key(key) for key in writes.unparked]),
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
        applied=from_json(row["applied"]),
        sent=from_json(row["sent"]),
        audit_seq=row["audit_seq"],
        audit_head=row["audit_head"],
        blocked=row["blocked"],
        wake_at=row["wake_at"],
        closed_at=row["closed_at"],
    )


def parked(row: Any) -> Parked:
    """A parked record, as it lay on its topic."""
    key = ParkedKey(row["request_id"], row["topic"], row["source"], row["message_id"])
    headers = tuple((name, value.encode()) for name, value in json.loads(row["headers"]))
    raw = Raw(row["topic"], row["partition"], row["offset"], row["key"], headers, row["value"])
    return Parked(key, row["sequence"], raw)


def _last_kept(writes: Writes) -> dict[tuple[UUID, str], Kept]:
    """One statement cannot write the same row twice; within a batch the last one counts."""
    return {(request_id, kept.name): kept for request_id, kept in writes.kept}


def _parked_key(key: ParkedKey) -> tuple[Any, ...]:
    return (key.request_id, key.topic, key.source, key.message_id)


def _record(raw: Raw) -> tuple[Any, ...]:
    headers = [[name, (value or b"").decode()] for name, value in raw.headers]
    return (raw.partition, raw.offset, raw.key, _dump(headers), raw.value)


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _dump(value: Any) -> str:
    return to_json(value).decode()
