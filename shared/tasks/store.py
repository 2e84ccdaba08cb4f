"""Tasks in PostgreSQL: claim, commit the intent to call, put back."""

import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic
from uuid import UUID

import asyncpg

from shared.clock import Clock
from shared.gathering import Gathering
from shared.machine.decision import C, Domain, Go, Stop, Wait
from shared.tasks import statements as sql
from shared.tasks.permits import Permits, to_settle
from shared.tasks.ports import NO_LANES, Bound, Claim, Lanes, Lost, Permission
from shared.tasks.work import Again, Claimed

LEASE_SECONDS = 90
MOST_CALLINGS = 100
OPEN_STATES = ("queued", "claimed", "calling", "ambiguous", "needs_person")
# A blocked case's tasks are not claimed; what runs already comes back as soon as the case is free again.
BLOCKED = timedelta(seconds=1)
# Asked in the transaction that commits the intent to call, about the tasks that want to: what stands against each.
Standing = Callable[[asyncpg.Connection, Sequence[tuple[Claimed, Bound]]], Awaitable[Mapping[UUID, Any]]]


class TaskStore(Generic[C]):
    """One service's tasks."""

    def __init__(  # noqa: PLR0913 - two of them are for tests, one for services that have such rules
        self,
        pool: asyncpg.Pool,
        domain: Domain[C],
        clock: Clock,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        expire_every: float = 1.0,
        standing: Standing | None = None,
    ) -> None:
        self._standing = standing
        self._pool = pool
        self._monotonic = monotonic
        self._expire_every = expire_every
        self._expired_at = float("-inf")
        self._permits = Permits(domain)
        self._clock = clock
        self._callings: Gathering[tuple[Claimed, Bound], Permission] = Gathering(
            self._call, most=MOST_CALLINGS
        )

    async def claim(self, handlers: Sequence[str], limit: int, lanes: Lanes = NO_LANES) -> Claim:
        """Take due tasks, most urgent first; the domain is asked again under the lock of each case."""
        await self._expire()
        claim, rows = Claim(), list[Any]()
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                rows = await connection.fetch(sql.DUE, self._clock.now(), list(handlers), limit)
                taken = await self._take(connection, rows, lanes) if rows else claim
            claim = taken
        finally:
            # Whoever took a place and is not ours after all, for the commit failed or another was faster, leaves.
            running = {task.task_id for task in claim.run}
            for row in rows:
                if row["task_id"] not in running:
                    lanes.leave(row["task_id"])
        return claim

    async def _expire(self) -> None:
        """Leases last a minute and a half: a busy service need not look for dead owners at every claim."""
        now = self._monotonic()
        if now - self._expired_at >= self._expire_every:
            await self._pool.execute(sql.EXPIRE)
            self._expired_at = now

    async def calling(self, task: Claimed, bound: Bound) -> Permission:
        """Commit `CALLING` with what the call is bound to, or say why it must not happen."""
        return await self._callings.submit((task, bound))

    async def extend(self, task: Claimed) -> bool:
        """Begin the lease anew for an attempt that gets on."""
        mine = await self._pool.fetchval(sql.EXTEND, task.task_id, task.epoch, LEASE_SECONDS)
        return mine is not None

    async def again(self, task: Claimed, answer: Again) -> None:
        """Put a task back for later."""
        run_at = self._clock.now() + answer.after
        await self._pool.execute(sql.AGAIN, task.task_id, task.epoch, answer.ambiguous, run_at)

    async def open_by_state(self) -> dict[str, int]:
        """How many tasks are open, by state; a state that none is in counts zero."""
        return dict.fromkeys(OPEN_STATES, 0) | {
            row["state"]: row["n"] for row in await self._pool.fetch(sql.OPEN)
        }

    async def _call(self, asked: Sequence[tuple[Claimed, Bound]]) -> Sequence[Permission]:
        """One transaction for all who are about to call out now; each is judged by itself."""
        tasks = [task for task, _ in asked]
        async with self._pool.acquire() as connection, connection.transaction():
            permissions = await self._permissions(connection, asked)
            going = [
                (task.task_id, task.epoch, bound.frozen, bound.frozen_id, bound.idempotency_key)
                for task, bound in asked
                if isinstance(permissions[task.task_id], Go)
            ]
            rows = await connection.fetch(sql.CALLING, *_columns(going), LEASE_SECONDS) if going else []
        # A lease may have run out: what was not written must not be called. Who lost a task and is told to stop or to
        # wait ends nothing by it, for every end carries the epoch.
        calling = {row["task_id"] for row in rows}
        lost = {task_id for task_id, *_ in going if task_id not in calling}
        return [Lost() if task.task_id in lost else permissions[task.task_id] for task in tasks]

    async def _permissions(
        self, connection: asyncpg.Connection, asked: Sequence[tuple[Claimed, Bound]]
    ) -> dict[UUID, Permission]:
        tasks = [task for task, _ in asked]
        cases = await connection.fetch(sql.LOCK_CASES, [task.request_id for task in tasks])
        case_of = {case["request_id"]: case for case in cases}
        standing = await self._standing(connection, asked) if self._standing else {}
        return {
            task.task_id: self._permission(task, case_of[task.request_id], standing.get(task.task_id))
            for task in tasks
        }

    def _permission(self, task: Claimed, case: Any, standing: Any) -> Go | Stop | Wait:
        now = self._clock.now()
        if case["blocked"]:
            return Wait(now + BLOCKED, "blocked")
        return self._permits(
            (task.request_id, case["body"]), key=task.key, purpose=task.purpose, now=now, standing=standing
        )

    async def _take(self, connection: asyncpg.Connection, rows: Sequence[Any], lanes: Lanes) -> Claim:
        now = self._clock.now()
        verdicts = [(row, _with_a_place(row, self._verdict(row, now), lanes, now)) for row in rows]
        # An ambiguous task stays one if this owner dies too: only `calling` expires into ambiguous.
        take = [
            (row["task_id"], "calling" if row["state"] == "ambiguous" else "claimed", row["epoch"])
            for row, verdict in verdicts
            if not isinstance(verdict, Wait)
        ]
        later = [(row["task_id"], verdict.until) for row, verdict in verdicts if isinstance(verdict, Wait)]
        if later:
            await connection.execute(sql.POSTPONE, *_columns(later))
        taken = await connection.fetch(sql.CLAIM, *_columns(take), LEASE_SECONDS) if take else []
        mine = {row["task_id"] for row in taken}
        claim = Claim(waiting=len(later))
        for row, verdict in verdicts:
            if row["task_id"] in mine and isinstance(verdict, Stop):
                claim.stopped.append((_claimed(row), verdict.reason))
            elif row["task_id"] in mine:
                claim.run.append(_claimed(row))
        return claim

    def _verdict(self, row: Any, now: datetime) -> Go | Stop | Wait:
        case = (row["request_id"], row["case_body"])
        verdict = self._permits(case, key=row["key"], purpose=row["purpose"], now=now)
        return to_settle(verdict) if row["state"] == "ambiguous" else verdict


def _with_a_place(row: Any, verdict: Go | Stop | Wait, lanes: Lanes, now: datetime) -> Go | Stop | Wait:
    if not isinstance(verdict, Go) or lanes is NO_LANES:
        return verdict
    wait = lanes.enter(row["task_id"], json.loads(row["body"]), row["urgency"])
    return verdict if wait is None else Wait(now + wait, "busy")


def _claimed(row: Any) -> Claimed:
    return Claimed(
        task_id=row["task_id"],
        request_id=row["request_id"],
        key=row["key"],
        handler=row["handler"],
        purpose=row["purpose"],
        body=json.loads(row["body"]),
        epoch=row["epoch"] + 1,
        attempts=row["attempts"] + 1,
        settle=row["state"] == "ambiguous",
        urgency=row["urgency"],
        frozen=row["frozen"],
        frozen_id=row["frozen_id"],
        idempotency_key=row["idempotency_key"],
    )


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
