"""One service's tables as tests look at them, in memory and in PostgreSQL: the contract suite runs on both."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from shared.audit import AuditRow
from shared.clock import Clock
from shared.machine.decision import Domain
from shared.machine.ports import CaseRow, OutboxRow, Parked, Store
from shared.machine.storage import PostgresStore, case_row, parked
from shared.tasks.ports import Tasks
from shared.tasks.store import TaskStore
from tests.support.memory_store import MemoryStore, MemoryTables
from tests.support.memory_tasks import MemoryTasks, expired

TABLES = "cases, applied_commands, parked, kept, audit, outbox, tasks, dead_letters"


@dataclass(frozen=True)
class SeenTask:
    """A task as it lies in its table."""

    task_id: UUID
    key: str
    state: str
    epoch: int
    attempts: int
    frozen: str | None
    result: str | None


@dataclass(frozen=True)
class SeenLetter:
    """A dead letter as it lies in its table."""

    letter_id: UUID
    topic: str
    partition: int
    offset: int
    request_id: UUID | None
    reason: str
    field: str | None
    sealed: str


class StoreWorld(Protocol):
    """A store, and everything that it keeps."""

    store: Store

    def tasks(self, domain: Domain[Any], clock: Clock) -> Tasks: ...

    async def case(self, request_id: UUID) -> CaseRow | None: ...

    async def outbox(self) -> list[OutboxRow]: ...

    async def audit(self, request_id: UUID) -> list[AuditRow]: ...

    async def task(self, request_id: UUID, key: str) -> SeenTask | None: ...

    async def parked(self) -> list[Parked]: ...

    async def letters(self) -> list[SeenLetter]: ...

    async def kept(self, request_id: UUID) -> dict[str, str]: ...

    async def unblock(self, request_id: UUID) -> None: ...

    async def spoil(self, request_id: UUID, body: str) -> None: ...

    async def expire(self, task_id: UUID) -> None: ...


class MemoryWorld:
    """Dictionaries."""

    def __init__(self) -> None:
        self.tables = MemoryTables()
        self.store: Store = MemoryStore(self.tables)

    def tasks(self, domain: Domain[Any], clock: Clock) -> Tasks:
        return MemoryTasks(self.tables, domain, clock)

    async def case(self, request_id: UUID) -> CaseRow | None:
        return self.tables.cases.get(request_id)

    async def outbox(self) -> list[OutboxRow]:
        return [row for _, row in sorted(self.tables.outbox.items())]

    async def audit(self, request_id: UUID) -> list[AuditRow]:
        return [row for (owner, _), row in sorted(self.tables.audit.items()) if owner == request_id]

    async def task(self, request_id: UUID, key: str) -> SeenTask | None:
        row = self.tables.task(request_id, key)
        if row is None:
            return None
        return SeenTask(row.new.task_id, key, row.state, row.epoch, row.attempts, row.frozen, row.result)

    async def parked(self) -> list[Parked]:
        return list(self.tables.parked.values())

    async def letters(self) -> list[SeenLetter]:
        return [
            SeenLetter(
                one.id,
                one.raw.topic,
                one.raw.partition,
                one.raw.offset,
                one.request_id,
                one.reason,
                one.field,
                one.sealed,
            )
            for one in self.tables.dead.values()
        ]

    async def kept(self, request_id: UUID) -> dict[str, str]:
        return {name: one.sealed for (owner, name), one in self.tables.kept.items() if owner == request_id}

    async def unblock(self, request_id: UUID) -> None:
        self.tables.cases[request_id] = replace(self.tables.cases[request_id], blocked=False)

    async def spoil(self, request_id: UUID, body: str) -> None:
        self.tables.cases[request_id] = replace(self.tables.cases[request_id], body=body)

    async def expire(self, task_id: UUID) -> None:
        expired(self.tables, task_id)


class PostgresWorld:
    """A service's schema, seen with the service's own rights and, where these do not reach, the administrator's."""

    def __init__(self, pool: asyncpg.Pool, admin: asyncpg.Connection, service: str) -> None:
        self.pool = pool
        self._admin = admin
        self._service = service
        self.store: Store = PostgresStore(pool)

    async def empty(self) -> None:
        """Forget everything."""
        tables = ", ".join(f"{self._service}.{name}" for name in TABLES.split(", "))
        await self._admin.execute(f"TRUNCATE {tables}")

    def tasks(self, domain: Domain[Any], clock: Clock) -> Tasks:
        return TaskStore(self.pool, domain, clock, expire_every=0)

    async def case(self, request_id: UUID) -> CaseRow | None:
        row = await self.pool.fetchrow("SELECT * FROM cases WHERE request_id = $1", request_id)
        return None if row is None else case_row(row)

    async def outbox(self) -> list[OutboxRow]:
        rows = await self.pool.fetch("SELECT * FROM outbox ORDER BY id")
        return [
            OutboxRow(
                topic=row["topic"],
                key=row["key"],
                headers=json.loads(row["headers"]),
                value=row["value"],
                opened_month=row["opened_month"],
                request_id=row["request_id"],
                sequence=row["sequence"],
            )
            for row in rows
        ]

    async def audit(self, request_id: UUID) -> list[AuditRow]:
        rows = await self.pool.fetch("SELECT * FROM audit WHERE request_id = $1 ORDER BY seq", request_id)
        return [AuditRow(**{**row, "facts": json.loads(row["facts"])}) for row in rows]

    async def task(self, request_id: UUID, key: str) -> SeenTask | None:
        columns = "task_id, key, state, epoch, attempts, frozen, result"
        query = f"SELECT {columns} FROM tasks WHERE request_id = $1 AND key = $2"  # noqa: S608 - our own columns
        row = await self.pool.fetchrow(query, request_id, key)
        return None if row is None else SeenTask(**row)

    async def parked(self) -> list[Parked]:
        return [parked(row) for row in await self.pool.fetch("SELECT * FROM parked")]

    async def letters(self) -> list[SeenLetter]:
        columns = 'id AS letter_id, topic, partition, "offset", request_id, reason, field, sealed'
        rows = await self.pool.fetch(f"SELECT {columns} FROM dead_letters ORDER BY at")  # noqa: S608 - our own columns
        return [SeenLetter(**row) for row in rows]

    async def kept(self, request_id: UUID) -> dict[str, str]:
        rows = await self.pool.fetch("SELECT name, sealed FROM kept WHERE request_id = $1", request_id)
        return {row["name"]: row["sealed"] for row in rows}

    async def unblock(self, request_id: UUID) -> None:
        await self.pool.execute("UPDATE cases SET blocked = false WHERE request_id = $1", request_id)

    async def spoil(self, request_id: UUID, body: str) -> None:
        await self.pool.execute("UPDATE cases SET body = $2 WHERE request_id = $1", request_id, body)

    async def expire(self, task_id: UUID) -> None:
        await self.pool.execute("UPDATE tasks SET lease_until = '-infinity' WHERE task_id = $1", task_id)


def in_order(rows: Sequence[OutboxRow], topic: str, request_id: UUID) -> list[int | None]:
    """The sequences that one topic got about one request, as they lie in the outbox."""
    return [row.sequence for row in rows if (row.topic, row.request_id) == (topic, request_id)]
