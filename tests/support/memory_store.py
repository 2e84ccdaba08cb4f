"""A service's store without a database: proven equal to the real one by tests/contracts/store.

Row locks, rollback and skip-locked are real enough for a simulation: whoever locks waits for whoever holds, and
nothing that a transaction wrote is seen before it commits.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from itertools import count
from uuid import UUID

import asyncpg

from shared.audit import AuditRow
from shared.machine.decision import Kept
from shared.machine.ports import (
    CaseRow,
    CommandKey,
    DeadLetter,
    FinishedTask,
    NewTask,
    OutboxRow,
    Parked,
    ParkedKey,
    Transaction,
    Writes,
)

LARGEST_CASE = 65_536
Change = Callable[[], None]


class OthersFirst:
    """Awaited where a database would be: whoever else can go on does."""

    def __await__(self) -> Generator[None, None, None]:
        yield


@dataclass
class TaskRow:
    """A task as it lies in its table; `lease_until` is on the database's clock."""

    new: NewTask
    state: str
    run_at: datetime
    epoch: int = 0
    attempts: int = 0
    hurried: bool = False
    lease_until: float | None = None
    frozen: str | None = None
    frozen_id: UUID | None = None
    idempotency_key: str | None = None
    result: str | None = None


@dataclass
class MemoryTables:
    """What lies in the tables, and who holds which row."""

    cases: dict[UUID, CaseRow] = field(default_factory=dict)
    outbox: dict[int, OutboxRow] = field(default_factory=dict)
    outbox_ids: Iterator[int] = field(default_factory=partial(count, 1))
    tasks: dict[UUID, TaskRow] = field(default_factory=dict)
    audit: dict[tuple[UUID, int], AuditRow] = field(default_factory=dict)
    commands: set[CommandKey] = field(default_factory=set)
    kept: dict[tuple[UUID, str], Kept] = field(default_factory=dict)
    parked: dict[ParkedKey, Parked] = field(default_factory=dict)
    dead: dict[UUID, DeadLetter] = field(default_factory=dict)
    locks: defaultdict[UUID, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    unpublished: dict[int, OutboxRow] = field(default_factory=dict)
    seconds: float = 0.0

    def task(self, request_id: UUID, key: str) -> TaskRow | None:
        found = [t for t in self.tasks.values() if (t.new.request_id, t.new.plan.key) == (request_id, key)]
        return found[0] if found else None


class MemoryStore:
    """A service's cases in dictionaries."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self.tables = tables or MemoryTables()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Changes become visible all at once, or not at all."""
        transaction = MemoryTransaction(self.tables)
        try:
            yield transaction
            await OthersFirst()
            for change in transaction.changes:
                change()
        finally:
            transaction.release()

    async def due(self, now: datetime, limit: int) -> list[UUID]:
        """Cases whose wake-up time has come."""
        waiting = sorted(
            (row.wake_at, row.request_id) for row in self.tables.cases.values() if _due(row, now)
        )
        return [request_id for _, request_id in waiting[:limit]]

    async def ready_parked(self, limit: int) -> list[Parked]:
        """Parked records whose turn has come."""
        ready = [one for one in self.tables.parked.values() if self._ready(one)]
        ready.sort(key=lambda one: (one.key.request_id, one.key.topic, one.sequence or 0))
        return ready[:limit]

    async def oldest_gap_seconds(self) -> float:
        """Whether anything waits: memory has no clock of its own."""
        return 1.0 if self.tables.parked else 0.0

    def _ready(self, one: Parked) -> bool:
        row = self.tables.cases.get(one.key.request_id)
        if row is None or row.blocked:
            return False
        heads = [
            other.sequence
            for key, other in self.tables.parked.items()
            if (key.request_id, key.topic) == (one.key.request_id, one.key.topic) and other.sequence
        ]
        return one.sequence is None or min(heads) <= row.applied.get(one.key.topic, 0) + 1


class MemoryTransaction:
    """Holds row locks until it is released; what it changes is done at commit."""

    def __init__(self, tables: MemoryTables) -> None:
        self.tables = tables
        self.changes: list[Change] = []
        self._held: dict[UUID, asyncio.Lock] = {}

    def release(self) -> None:
        for lock in self._held.values():
            lock.release()
        self._held = {}

    async def lock(self, request_ids: Sequence[UUID], month: date) -> dict[UUID, CaseRow]:
        """Insert missing rows and lock all, in request-id order."""
        found = {}
        for request_id in sorted(set(request_ids)):
            await self.hold(request_id)
            row = self.tables.cases.get(request_id) or CaseRow(request_id, month)
            self.changes.append(partial(self._insert, row))
            found[request_id] = row
        return found

    async def lock_due(self, request_ids: Sequence[UUID], now: datetime) -> dict[UUID, CaseRow]:
        """Lock due cases that nobody else holds."""
        found = {}
        for request_id in sorted(set(request_ids)):
            row = self.tables.cases.get(request_id)
            free = request_id in self._held or not self.tables.locks[request_id].locked()
            if row is not None and _due(row, now) and free:
                await self.hold(request_id)
                found[request_id] = self.tables.cases[request_id]
        return found

    async def seen_commands(self, commands: Sequence[CommandKey]) -> set[CommandKey]:
        """Which commands were applied before."""
        return set(commands) & self.tables.commands

    async def known_letters(self, letter_ids: Sequence[UUID]) -> set[UUID]:
        """Which dead letters are there."""
        return set(letter_ids) & self.tables.dead.keys()

    async def finish(self, finished: Sequence[FinishedTask]) -> set[UUID]:
        """Write the ends of tasks whose epoch is still the store's."""
        counted = [one for one in finished if self._ours(one)]
        self.changes.extend(partial(self._finish, one) for one in counted)
        return {one.task_id for one in counted}

    async def write(self, writes: Writes) -> None:
        """Check what the tables would refuse, then keep it for the commit."""
        await OthersFirst()
        self._check(writes)
        # As a sequence gives them out: in the order of writing, which need not be that of the commits.
        records = {next(self.tables.outbox_ids): row for row in writes.outbox}
        self.changes.append(lambda: self._apply(writes, records))

    async def hold(self, request_id: UUID) -> None:
        """Wait for the lock of a row, and keep it until the end."""
        if request_id not in self._held:
            await self.tables.locks[request_id].acquire()
            self._held[request_id] = self.tables.locks[request_id]

    def _insert(self, row: CaseRow) -> None:
        self.tables.cases.setdefault(row.request_id, row)

    def _ours(self, one: FinishedTask) -> bool:
        task = self.tables.tasks.get(one.task_id)
        return task is not None and task.epoch == one.epoch and task.state in {"claimed", "calling"}

    def _finish(self, one: FinishedTask) -> None:
        if not self._ours(one):
            raise asyncpg.SerializationError("the task's lease ran out while its end was written")
        task = self.tables.tasks[one.task_id]
        task.state, task.result, task.lease_until = one.status, one.result, None

    def _check(self, writes: Writes) -> None:
        numbers = {(row.topic, row.request_id, row.sequence) for row in self.tables.outbox.values()}
        new = [(row.topic, row.request_id, row.sequence) for row in writes.outbox if row.sequence is not None]
        chain = [(row.request_id, row.seq) for row in writes.audit]
        for known, more in ((numbers, new), (self.tables.audit.keys(), chain)):
            if len(set(more)) < len(more) or known & set(more):
                raise asyncpg.UniqueViolationError("a number was given out twice")
        if self.tables.commands & set(writes.commands):
            raise asyncpg.UniqueViolationError("a command was applied twice")
        if any(len((row.body or "").encode()) > LARGEST_CASE for row in writes.cases):
            raise asyncpg.CheckViolationError("a case is too large")
        if not {row.request_id for row in writes.cases} <= self._held.keys():
            raise AssertionError("a case was written without its lock")

    def _apply(self, writes: Writes, records: Mapping[int, OutboxRow]) -> None:
        tables = self.tables
        tables.cases.update({row.request_id: row for row in writes.cases})
        tables.outbox.update(records)
        tables.unpublished.update(records)
        for new in writes.tasks:
            if tables.task(new.request_id, new.plan.key) is None:
                tables.tasks[new.task_id] = TaskRow(new, "queued", new.run_at)
        for request_id, key, run_at in writes.hurried:
            _hurry(tables.task(request_id, key), run_at)
        tables.audit.update({(row.request_id, row.seq): row for row in writes.audit})
        tables.commands.update(writes.commands)
        tables.kept.update({(request_id, kept.name): kept for request_id, kept in writes.kept})
        for one in writes.parked:
            tables.parked.setdefault(one.key, one)
        for parked_key in writes.unparked:
            tables.parked.pop(parked_key, None)
        tables.dead.update({letter.id: letter for letter in writes.dead})


def _due(row: CaseRow, now: datetime) -> bool:
    return row.wake_at is not None and row.wake_at <= now and not row.blocked


def _hurry(task: TaskRow | None, run_at: datetime) -> None:
    if task is None or task.state in {"done", "canceled"}:
        return
    task.run_at, task.hurried = run_at, task.state in {"claimed", "calling"}
    if task.state == "needs_person":
        task.state = "ambiguous" if task.frozen_id is not None else "queued"
