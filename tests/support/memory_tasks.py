"""Leased tasks without a database: proven equal to the real ones by tests/contracts/store."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.clock import Clock
from shared.machine.decision import Domain, Go, Stop, Wait
from shared.tasks.permits import Permits, to_settle
from shared.tasks.ports import NO_LANES, Bound, Claim, Lanes, Lost, Permission
from shared.tasks.store import BLOCKED, LEASE_SECONDS
from shared.tasks.work import Again, Claimed
from tests.support.memory_store import MemoryTables, TaskRow

OURS = ("claimed", "calling")


class MemoryTasks:
    """One service's tasks, in the tables of a memory store."""

    def __init__(self, tables: MemoryTables, domain: Domain[Any], clock: Clock) -> None:
        self._tables = tables
        self._permits = Permits(domain)
        self._clock = clock

    async def claim(self, handlers: Sequence[str], limit: int, lanes: Lanes = NO_LANES) -> Claim:
        """Take due tasks under a lease."""
        self._expire()
        now = self._clock.now()
        due = [task for task in self._tables.tasks.values() if self._due(task, handlers, now)]
        due.sort(key=lambda task: (task.new.plan.urgency, task.new.task_id))
        claim, waiting = Claim(), 0
        for task in due[:limit]:
            verdict = self._verdict(task, now)
            plan = task.new.plan
            place = (
                lanes.enter(task.new.task_id, plan.body, plan.urgency) if isinstance(verdict, Go) else None
            )
            verdict = verdict if place is None else Wait(now + place, "busy")
            if isinstance(verdict, Wait):
                task.run_at, waiting = verdict.until, waiting + 1
            elif isinstance(verdict, Stop):
                claim.stopped.append((self._take(task), verdict.reason))
            else:
                claim.run.append(self._take(task))
        return Claim(claim.run, claim.stopped, waiting)

    async def calling(self, task: Claimed, bound: Bound) -> Permission:
        """Commit `CALLING`."""
        async with self._tables.locks[task.request_id]:
            row = self._tables.tasks[task.task_id]
            if row.epoch != task.epoch or row.state not in OURS:
                return Lost()
            permission = self._permission(row)
            if isinstance(permission, Go):
                row.state, row.lease_until = "calling", self._tables.seconds + LEASE_SECONDS
                row.frozen = bound.frozen or row.frozen
                row.frozen_id = bound.frozen_id or row.frozen_id
                row.idempotency_key = bound.idempotency_key or row.idempotency_key
            return permission

    async def extend(self, task: Claimed) -> bool:
        """Begin the lease anew for an attempt that gets on."""
        row = self._tables.tasks[task.task_id]
        if row.epoch != task.epoch or row.state not in OURS:
            return False
        row.lease_until = self._tables.seconds + LEASE_SECONDS
        return True

    async def again(self, task: Claimed, answer: Again) -> None:
        """Put a task back for later."""
        row = self._tables.tasks[task.task_id]
        if row.epoch == task.epoch and row.state in OURS:
            row.state = "ambiguous" if answer.ambiguous else "queued"
            row.run_at = row.run_at if row.hurried else self._clock.now() + answer.after
            row.lease_until = None

    def _expire(self) -> None:
        for row in self._tables.tasks.values():
            if row.state in OURS and row.lease_until is not None and row.lease_until < self._tables.seconds:
                row.state = "ambiguous" if row.state == "calling" else "queued"
                row.epoch, row.lease_until = row.epoch + 1, None

    def _due(self, task: TaskRow, handlers: Sequence[str], now: datetime) -> bool:
        request_id = task.new.request_id
        free = not self._tables.locks[request_id].locked() and not self._tables.cases[request_id].blocked
        due = task.state in {"queued", "ambiguous"} and task.run_at <= now
        return due and free and task.new.plan.handler in handlers

    def _verdict(self, task: TaskRow, now: datetime) -> Go | Stop | Wait:
        verdict = self._ask(task, now)
        return to_settle(verdict) if task.state == "ambiguous" else verdict

    def _permission(self, row: TaskRow) -> Go | Stop | Wait:
        now = self._clock.now()
        blocked = self._tables.cases[row.new.request_id].blocked
        return Wait(now + BLOCKED, "blocked") if blocked else self._ask(row, now)

    def _ask(self, task: TaskRow, now: datetime) -> Go | Stop | Wait:
        body = self._tables.cases[task.new.request_id].body
        plan = task.new.plan
        return self._permits((task.new.request_id, body), key=plan.key, purpose=plan.purpose, now=now)

    def _take(self, row: TaskRow) -> Claimed:
        settle = row.state == "ambiguous"
        row.state = "calling" if settle else "claimed"
        row.epoch, row.attempts, row.hurried = row.epoch + 1, row.attempts + 1, False
        row.lease_until = self._tables.seconds + LEASE_SECONDS
        plan = row.new.plan
        return Claimed(
            task_id=row.new.task_id,
            request_id=row.new.request_id,
            key=plan.key,
            handler=plan.handler,
            purpose=plan.purpose,
            body=plan.body,
            epoch=row.epoch,
            attempts=row.attempts,
            settle=settle,
            urgency=plan.urgency,
            frozen=row.frozen,
            frozen_id=row.frozen_id,
            idempotency_key=row.idempotency_key,
        )


def expired(tables: MemoryTables, task_id: UUID) -> None:
    """The lease of a task ran out."""
    tables.tasks[task_id].lease_until = tables.seconds - 1
