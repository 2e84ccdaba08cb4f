"""Tasks in PostgreSQL: claim, commit the intent to call, put back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic
from uuid import UUID

import asyncpg

from shared.clock import Clock
from shared.machine.decision import C, Context, Domain, Go, Stop, Wait
from shared.tasks import statements as sql
from shared.tasks.work import Again, Claimed

LEASE_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claiming transaction brought: tasks to run, and tasks that must end as canceled."""

    run: list[Claimed]
    stopped: list[tuple[Claimed, str]]


class TaskStore(Generic[C]):
    """One service's tasks."""

    def __init__(self, pool: asyncpg.Pool, domain: Domain[C], clock: Clock) -> None:
        self._pool = pool
        self._domain = domain
        self._clock = clock

    async def claim(self, handlers: Sequence[str], limit: int) -> Claim:
        """Take due tasks, most urgent first; the domain is asked again under the lock of each case."""
        now = self._clock.now()
        await self._pool.execute(sql.EXPIRE)
        async with self._pool.acquire() as connection, connection.transaction():
            due = await connection.fetch(sql.DUE, now, handlers, limit)
            if not due:
                return Claim([], [])
            ids = list({row["request_id"] for row in due})
            cases = {row["request_id"]: row["body"] for row in await connection.fetch(sql.LOCK_CASES, ids)}
            rows = await connection.fetch(sql.OF_CASES, list(cases), now, handlers, limit)
            return await self._take(connection, rows, cases, now)

    async def calling(self, task: Claimed, bound: Mapping[str, Any]) -> bool:
        """Commit `CALLING` with what the call is bound to; False if it must not happen (any more)."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(sql.LOCK_CASE, task.request_id)
            if row is None or row["blocked"] or not self._permits(task.key, task.purpose, row["body"]):
                return False
            status = await connection.execute(
                sql.CALLING,
                task.task_id,
                task.epoch,
                bound.get("frozen"),
                bound.get("frozen_id"),
                bound.get("idempotency_key"),
                LEASE_SECONDS,
            )
        return bool(status == "UPDATE 1")

    async def again(self, task: Claimed, answer: Again) -> None:
        """Put a task back for later."""
        run_at = self._clock.now() + answer.after
        await self._pool.execute(sql.AGAIN, task.task_id, task.epoch, answer.ambiguous, run_at)

    async def open_by_state(self) -> dict[str, int]:
        """How many tasks are open, by state."""
        return {row["state"]: row["n"] for row in await self._pool.fetch(sql.OPEN)}

    async def _take(
        self,
        connection: asyncpg.Connection,
        rows: Sequence[Any],
        cases: Mapping[UUID, str | None],
        now: datetime,
    ) -> Claim:
        claim, take, later = Claim([], []), [], []
        for row in rows:
            verdict = self._verdict(row, cases[row["request_id"]], now)
            task = _claimed(row)
            if isinstance(verdict, Wait):
                later.append((row["task_id"], max(verdict.until, now + timedelta(seconds=1))))
                continue
            # An ambiguous task stays one if this owner dies too: only `calling` expires into ambiguous.
            state = "calling" if row["state"] == "ambiguous" else "claimed"
            take.append((row["task_id"], state, row["epoch"]))
            if isinstance(verdict, Stop):
                claim.stopped.append((task, verdict.reason))
            else:
                claim.run.append(task)
        if take:
            await connection.execute(sql.CLAIM, *_columns(take), LEASE_SECONDS)
        if later:
            await connection.execute(sql.POSTPONE, *_columns(later))
        return claim

    def _verdict(self, row: Any, body: str | None, now: datetime) -> Go | Stop | Wait:
        # What may have called out is settled whatever the case says now: proving reads, it does not act.
        if row["state"] == "ambiguous":
            return Go()
        return self._domain.permit(self._case(body), row["key"], row["purpose"], _context(now))

    def _permits(self, key: str, purpose: str, body: str | None) -> bool:
        return isinstance(
            self._domain.permit(self._case(body), key, purpose, _context(self._clock.now())), Go
        )

    def _case(self, body: str | None) -> C:
        return self._domain.case_type.model_validate_json(body or "{}")


def _context(now: datetime) -> Context:
    return Context(now=now, audit_head="", entropy=b"")


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
