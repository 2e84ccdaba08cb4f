"""Claims tasks, runs their handlers side by side, and brings their ends back through the shell."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from shared.background import Wakeup
from shared.clock import Clock
from shared.database import until_back
from shared.ids import new_id
from shared.machine.batcher import Batcher
from shared.machine.decision import Go, Message, Stop, TaskFinished, Wait
from shared.tasks.ports import NO_LANES, Bound, Lanes, Permission, Tasks
from shared.tasks.store import LEASE_SECONDS
from shared.tasks.work import Again, Answer, Claimed, Finished, Handler, LeaseLostError

log = structlog.get_logger("tasks")
HANDLER_SECONDS = LEASE_SECONDS / 2
EXTENDED_AFTER = 0.25
LONGEST_BACKOFF = timedelta(minutes=15)


class _Call:
    """Commits CALLING for one attempt, and remembers whether it did, or why not."""

    def __init__(self, store: Tasks, task: Claimed) -> None:
        self._store = store
        self._task = task
        self.made = task.settle
        self.denied: Permission | None = None
        self._let_through = False

    async def __call__(
        self,
        *,
        frozen: str | None = None,
        frozen_id: UUID | None = None,
        idempotency_key: str | None = None,
        about: Sequence[str] = (),
    ) -> bool:
        # Set before the commit is known: a commit whose answer was lost may have happened.
        before, self.made = self.made, True
        permission = await self._store.calling(
            self._task, Bound(frozen, frozen_id, idempotency_key, tuple(about))
        )
        if isinstance(permission, Go):
            self._let_through = True
        elif not self._let_through:
            # A later no, to storing more about a call that was made, takes nothing of that call back.
            self.made, self.denied = before, permission
        return isinstance(permission, Go)


class _Timing:
    """One attempt's time: it ends when nothing got further for so long, however long it takes in all."""

    def __init__(self, store: Tasks, task: Claimed, limit: asyncio.Timeout) -> None:
        self._store = store
        self._task = task
        self._limit = limit
        self._now = asyncio.get_running_loop().time
        self._extended_at = self._now()

    async def goes_on(self) -> None:
        """Begin anew; the database is asked now and then only, for parts can be small and many."""
        now = self._now()
        self._limit.reschedule(now + HANDLER_SECONDS)
        if now - self._extended_at < LEASE_SECONDS * EXTENDED_AFTER:
            return
        self._extended_at = now
        if not await until_back(lambda: self._store.extend(self._task), what="tasks"):
            raise LeaseLostError


class Runner:
    """Runs one service's tasks, at most `width` at a time beside those that only wait in a slow lane of `lanes`."""

    def __init__(
        self,
        store: Tasks,
        handlers: Mapping[str, Handler],
        batcher: Batcher,
        clock: Clock,
        *,
        width: int = 8,
    ) -> None:
        self._store = store
        self._handlers = handlers
        self._batcher = batcher
        self._clock = clock
        self._width = width
        self._running: set[asyncio.Task[None]] = set()
        self.freed = Wakeup()
        self.lanes: Lanes = NO_LANES

    async def turn(self) -> bool:
        """Claim and start what is due; whether more may be."""
        free = self._width - len(self._running) + self.lanes.slow()
        if free <= 0:
            await self.freed.wait(1.0)
            return True
        claim = await self._store.claim(list(self._handlers), free, self.lanes)
        for task, reason in claim.stopped:
            self._start(self._finish(task, Finished("canceled", {"reason": reason})))
        for task in claim.run:
            self._start(self._attempt(task))
        return claim.due >= free

    async def drain(self, *, within: float) -> None:
        """Let what runs finish, for `within` seconds; what is left stays CALLING and is settled by the next owner."""
        if self._running:
            _, pending = await asyncio.wait(self._running, timeout=within)
            for task in pending:
                task.cancel()

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        self.freed.set()
        if not task.cancelled() and task.exception() is not None:
            # The lease runs out and the next owner settles it: nothing is lost, but somebody should know.
            log.error("task.attempt_failed", error_type=type(task.exception()).__name__)

    async def _attempt(self, task: Claimed) -> None:
        call = _Call(self._store, task)
        try:
            answer = await self._answer(task, call)
        finally:
            self.lanes.leave(task.task_id)
        answer = judged(answer, call.denied, made=call.made, now=self._clock.now())
        if isinstance(answer, Again):
            await until_back(lambda: self._store.again(task, answer), what="tasks")
        else:
            await self._finish(task, answer)

    async def _answer(self, task: Claimed, call: _Call) -> Answer:
        try:
            async with asyncio.timeout(HANDLER_SECONDS) as limit:
                timed = replace(task, goes_on=_Timing(self._store, task, limit).goes_on)
                return await self._handlers[task.handler].run(timed, call)
        except Exception as error:  # an attempt ends in an answer: here a bug becomes one
            log.warning("task.attempt", kind=task.handler, error_type=type(error).__name__, exc_info=True)
            return Again(backoff(task.attempts), type(error).__name__, ambiguous=call.made)

    async def _finish(self, task: Claimed, finished: Finished) -> None:
        body = TaskFinished(
            task_id=task.task_id,
            key=task.key,
            handler=task.handler,
            epoch=task.epoch,
            status=finished.status,
            result=dict(finished.result),
        )
        message = Message(
            id=new_id(),
            ce_type="local.task-finished",
            source="local",
            kind="local",
            request_id=task.request_id,
            body=body,
            at=self._clock.now(),
        )
        # What was done outside must not be forgotten because the database was away; told twice, it counts once.
        await until_back(lambda: self._batcher.submit(message), what="tasks")


def judged(answer: Answer, denied: Permission | None, *, made: bool, now: datetime) -> Answer:
    """A handler that was not let through knows only that; the rules know whether it must end, or wait."""
    gave_up = isinstance(answer, Again) or answer.status == "canceled"
    if isinstance(denied, Stop) and gave_up:
        told = {} if isinstance(answer, Again) else answer.result
        return Finished("canceled", {**told, "reason": denied.reason})
    if isinstance(denied, Wait) and gave_up:
        doubtful = answer.ambiguous if isinstance(answer, Again) else made
        return Again(denied.until - now, denied.reason, ambiguous=doubtful)
    return answer


def backoff(attempts: int) -> timedelta:
    """How long to wait before the next attempt: doubling from two seconds, a quarter of an hour at most."""
    return min(timedelta(seconds=2 ** min(attempts, 10)), LONGEST_BACKOFF)
