"""Each service's database, and its ports as one process sees them: every statement can fail, or lose its answer."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from shared.machine.decision import Domain, Go, Message
from shared.machine.ports import CaseRow, CommandKey, FinishedTask, Parked, Transaction, Writes
from shared.outbox.ports import Head, Scan
from shared.tasks.ports import NO_LANES, Bound, Claim, Lanes, Permission
from shared.tasks.work import Again, Claimed
from tests.simulation.auditor import Auditor
from tests.simulation.points import Process
from tests.support.memory_certificates import MemoryCertificates
from tests.support.memory_outbox import MemoryOutbox
from tests.support.memory_store import MemoryStore, MemoryTables, MemoryTransaction
from tests.support.memory_subjects import MemorySubjects
from tests.support.memory_tasks import MemoryTasks


@dataclass
class Database:
    """What outlives a service's processes."""

    tables: MemoryTables = field(default_factory=MemoryTables)
    certificates: MemoryCertificates = field(default_factory=MemoryCertificates)
    subjects: MemorySubjects = field(init=False)
    outbox: MemoryOutbox = field(init=False)

    def __post_init__(self) -> None:
        self.subjects = MemorySubjects(self.tables)
        self.outbox = MemoryOutbox(self.tables)

    async def same_subject(self, transaction: Transaction, messages: Sequence[Message]) -> dict[UUID, Any]:
        """Fulfillment's `facts`."""
        assert isinstance(transaction, SeenTransaction)
        return await self.subjects.same_subject(transaction.inner, messages)


@dataclass
class SeenTransaction:
    """Remembers what it is asked to write, for the auditor."""

    inner: MemoryTransaction
    process: Process
    written: list[Writes] = field(default_factory=list)
    finished: list[FinishedTask] = field(default_factory=list)

    async def lock(self, request_ids: Sequence[UUID], month: date) -> dict[UUID, CaseRow]:
        await self.process.before("store.lock")
        return await self.inner.lock(request_ids, month)

    async def lock_due(self, request_ids: Sequence[UUID], now: datetime) -> dict[UUID, CaseRow]:
        await self.process.before("store.lock")
        return await self.inner.lock_due(request_ids, now)

    async def seen_commands(self, commands: Sequence[CommandKey]) -> set[CommandKey]:
        return await self.inner.seen_commands(commands)

    async def known_letters(self, letter_ids: Sequence[UUID]) -> set[UUID]:
        return await self.inner.known_letters(letter_ids)

    async def finish(self, finished: Sequence[FinishedTask]) -> set[UUID]:
        counted = await self.inner.finish(finished)
        self.finished.extend(one for one in finished if one.task_id in counted)
        return counted

    async def write(self, writes: Writes) -> None:
        await self.inner.write(writes)
        self.written.append(writes)


class SeenStore:
    """The store of one process."""

    def __init__(self, process: Process, database: Database, auditor: Auditor) -> None:
        self._process = process
        self._inner = MemoryStore(database.tables)
        self._auditor = auditor

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        process = self._process
        async with self._inner.transaction() as inner:
            assert isinstance(inner, MemoryTransaction)
            seen = SeenTransaction(inner, process)
            yield seen
            fate = await process.point("store.commit", "fail", "lose", "other")
            if fate == "fail":
                raise asyncpg.ConnectionDoesNotExistError("the connection was lost before the commit")
            if fate == "other":
                raise asyncpg.DeadlockDetectedError("the server chose us")
        self._auditor.committed(process.service, seen.written, seen.finished)
        if fate == "lose":
            raise asyncpg.ConnectionDoesNotExistError("the commit's answer was lost")
        await process.point("store.committed")

    async def due(self, now: datetime, limit: int) -> list[UUID]:
        await self._process.before("store.due")
        return await self._inner.due(now, limit)

    async def ready_parked(self, limit: int) -> list[Parked]:
        return await self._inner.ready_parked(limit)

    async def oldest_gap_seconds(self) -> float:
        return await self._inner.oldest_gap_seconds()


class SeenTasks:
    """The tasks of one process."""

    def __init__(self, process: Process, inner: MemoryTasks, auditor: Auditor) -> None:
        self._process = process
        self._inner = inner
        self._auditor = auditor

    async def claim(self, handlers: Sequence[str], limit: int, lanes: Lanes = NO_LANES) -> Claim:
        await self._process.before("tasks.claim")
        claim = await self._inner.claim(handlers, limit, lanes)
        await self._process.after("tasks.claimed")
        return claim

    async def calling(self, task: Claimed, bound: Bound) -> Permission:
        await self._process.before("tasks.calling")
        permission = await self._inner.calling(task, bound)
        if isinstance(permission, Go):
            self._auditor.may_call(task)
        await self._process.after("tasks.called")
        return permission

    async def extend(self, task: Claimed) -> bool:
        await self._process.before("tasks.extend")
        return await self._inner.extend(task)

    async def again(self, task: Claimed, answer: Again) -> None:
        await self._process.before("tasks.again")
        await self._inner.again(task, answer)
        await self._process.after("tasks.put_back")


class SeenOutbox:
    """The outbox of one process's relay."""

    def __init__(self, process: Process, inner: MemoryOutbox, auditor: Auditor) -> None:
        self._process = process
        self._inner = inner
        self._auditor = auditor

    async def lease(self, owner: str, *, seconds: int) -> dict[int, int]:
        await self._process.before("outbox.lease")
        epochs = await self._inner.lease(owner, seconds=seconds)
        self._auditor.leased(self._process.service, owner, epochs)
        return epochs

    async def give_back(self, owner: str, shards: Sequence[int]) -> None:
        await self._inner.give_back(owner, shards)

    async def heads(self, after: int, shards: Sequence[int], limit: int) -> Scan:
        await self._process.before("outbox.heads")
        return await self._inner.heads(after, shards, limit)

    async def mark(self, heads: Sequence[Head], owner: str, epochs: Mapping[int, int]) -> int:
        await self._process.before("outbox.mark")
        before = set(self._inner.published)
        marked = await self._inner.mark(heads, owner, epochs)
        new = [head for head in heads if head.id in self._inner.published - before]
        self._auditor.marked(self._process.service, owner, new, epochs)
        await self._process.after("outbox.marked")
        return marked

    async def block(self, head: Head, reason: str, owner: str, epoch: int) -> None:
        await self._process.before("outbox.block")
        await self._inner.block(head, reason, owner, epoch)

    async def leave(self, owner: str) -> None:
        await self._inner.leave(owner)


def tasks_of(process: Process, database: Database, domain: Domain[Any], world: Any) -> SeenTasks:
    """A process's tasks: `world` has the clock and the auditor."""
    return SeenTasks(process, MemoryTasks(database.tables, domain, world.clock), world.auditor)
