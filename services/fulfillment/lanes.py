"""A lane for each system: a system that hangs or fails delays nobody but those who wait for it.

Attempts at a quick system are not limited here. Those that the system has not answered for `SLOW_SECONDS` take a place
of their system's few and none of the runner's; with no place left, or while the system is left alone after failing
several times in a row, its tasks are not even claimed. While it gets on with its work, whoever has a nearer date than
somebody inside is let in all the same: a long list holds up nobody who must go before it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from aiolimiter import AsyncLimiter

from services.fulfillment.datamap.systems import Limits
from services.fulfillment.ports import (
    Adapter,
    Ambiguous,
    Capabilities,
    CheckReport,
    Export,
    Frozen,
    NeedsPerson,
    Outcome,
    Proof,
    Retry,
    Subject,
    TakesRows,
    Unknown,
)

SLOW_SECONDS = 2.0
LONGEST_WAIT = 60.0
PACE_SECONDS = 10.0
FIRSTS = 100

T = TypeVar("T")

ATTEMPT: ContextVar[UUID | None] = ContextVar("attempt", default=None)
"""The task at which the calls are made that are made here: set by whoever runs it."""


class Lane:
    """One system's bulkhead, circuit breaker and token bucket."""

    def __init__(self, limits: Limits, now: Callable[[], float] | None = None) -> None:
        self._limits = limits
        self._now = now or (lambda: asyncio.get_running_loop().time())
        self._inside: dict[UUID, tuple[float, datetime | None]] = {}
        self._left: deque[float] = deque()
        self._refused = 0
        self._firsts = 0
        self._failures = 0
        self._shut_until = 0.0
        self._bucket: AsyncLimiter | None = None

    @property
    def slow(self) -> int:
        """The attempts that have waited long for the system, or for their first turn at it."""
        late = self._now() - SLOW_SECONDS
        return sum(since <= late for since, _ in self._inside.values())

    def enter(self, task_id: UUID, urgency: datetime | None = None) -> float | None:
        """Let the attempt in, or say for how many seconds it must stay out."""
        wait = self._wait(urgency)
        if wait is None:
            self._inside[task_id] = self._now(), urgency
        return wait

    def goes_on(self, task_id: UUID | None) -> None:
        """The system answered this attempt: what takes long from now on is not what took long before."""
        if task_id is not None and task_id in self._inside:
            self._inside[task_id] = self._now(), self._inside[task_id][1]

    def leave(self, task_id: UUID) -> None:
        """The attempt is over."""
        if self._inside.pop(task_id, None) is not None:
            self._refused, self._firsts = max(0, self._refused - 1), max(0, self._firsts - 1)
            self._left.append(self._now())

    def heard(self, *, well: bool) -> None:
        """What the system did when it was asked: so many failures in a row, and it is left alone for a while."""
        self._failures = 0 if well else self._failures + 1
        shut = self._failures >= self._limits.failures_to_open
        self._shut_until = self._now() + self._limits.open_seconds if shut else 0.0

    async def turn(self) -> None:
        """Wait for the next call's turn."""
        if self._bucket is None:
            self._bucket = AsyncLimiter(self._limits.calls_per_second, 1)
        await self._bucket.acquire()

    def _wait(self, urgency: datetime | None) -> float | None:
        shut = self._shut_until - self._now()
        if shut > 0:
            return shut
        if self._failures >= self._limits.failures_to_open and self._inside:
            return self._in_line()
        if self.slow < self._limits.connections:
            return None
        if not self._goes_first(urgency):
            return self._in_line()
        return None if self._works() else self._first_in_line()

    def _in_line(self) -> float:
        """Whoever is refused later comes back later: a long line is not asked all the time, nor left out for longer.

        A line goes as fast as the system's attempts came to an end of late; nothing is known of one that hangs.
        """
        self._refused += 1
        a_second = max(self._ended() / PACE_SECONDS, self._limits.connections / SLOW_SECONDS)
        return min(SLOW_SECONDS + (self._refused - 1) / a_second, LONGEST_WAIT)

    def _first_in_line(self) -> float:
        """So many at a time are asked again as soon as it may have changed."""
        self._firsts += 1
        return min(SLOW_SECONDS * (1 + (self._firsts - 1) // FIRSTS), LONGEST_WAIT)

    def _goes_first(self, urgency: datetime | None) -> bool:
        """Whether somebody inside has a later date."""
        return urgency is not None and any(
            other is not None and urgency < other for _, other in self._inside.values()
        )

    def _works(self) -> bool:
        """Whether the system came to an end with anything just now."""
        return self._ended() > 0 and self._left[-1] > self._now() - SLOW_SECONDS

    def _ended(self) -> int:
        """The attempts that ended of late."""
        while self._left and self._left[0] < self._now() - PACE_SECONDS:
            self._left.popleft()
        return len(self._left)


class Lanes:
    """What the task runner asks before it claims: `shared.tasks.ports.Lanes` over the systems."""

    def __init__(self, lanes: Mapping[str, Lane]) -> None:
        self._lanes = lanes
        self._of: dict[UUID, Lane] = {}

    def enter(
        self, task_id: UUID, body: Mapping[str, Any], urgency: datetime | None = None
    ) -> timedelta | None:
        """Take a place for a task of a system; what concerns no system always may go on."""
        lane = self._lanes.get(str(body.get("system", "")))
        wait = lane.enter(task_id, urgency) if lane is not None else None
        if lane is not None and wait is None:
            self._of[task_id] = lane
        return None if wait is None else timedelta(seconds=wait)

    def leave(self, task_id: UUID) -> None:
        """Give the place back."""
        lane = self._of.pop(task_id, None)
        if lane is not None:
            lane.leave(task_id)

    def slow(self) -> int:
        """Attempts that only wait for a slow system."""
        return sum(lane.slow for lane in self._lanes.values())


class Watched:
    """An adapter whose lane hears how its system behaves; it adds nothing else to what the adapter says."""

    def __init__(self, adapter: Adapter, lane: Lane) -> None:
        self._adapter = adapter
        self._lane = lane

    @property
    def capabilities(self) -> Capabilities:
        return self._adapter.capabilities

    async def check(self) -> CheckReport:
        return await self._adapter.check()

    async def find(self, subject: Subject, *, cut_off: datetime) -> Frozen | Retry | NeedsPerson:
        return await self._heard(self._adapter.find(subject, cut_off=cut_off))

    async def export(
        self,
        frozen: Frozen,
        *,
        cut_off: datetime,
        since: datetime | None = None,
        specific: bool = True,
        taking: TakesRows | None = None,
    ) -> Export | Retry | NeedsPerson:
        return await self._heard(
            self._adapter.export(frozen, cut_off=cut_off, since=since, specific=specific, taking=taking)
        )

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        return await self._heard(
            self._adapter.act(right, frozen, cut_off=cut_off, idempotency_key=idempotency_key)
        )

    async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
        return await self._heard(self._adapter.prove(right, frozen, cut_off=cut_off))

    async def close(self) -> None:
        await self._adapter.close()

    async def _heard(self, call: Awaitable[T]) -> T:
        await self._lane.turn()
        try:
            answer = await call
        except asyncio.CancelledError:
            self._lane.heard(well=False)
            raise
        self._lane.heard(well=_well(answer))
        self._lane.goes_on(ATTEMPT.get())
        return answer


def _well(answer: object) -> bool:
    """A system that is away, busy or lost our call is not well; one that refuses us, or is at work, is."""
    if isinstance(answer, Unknown | Ambiguous):
        return answer.look_again is not None
    return not isinstance(answer, Retry) or answer.at_work


def lanes_of(lanes: Iterable[tuple[str, Lane | None]]) -> Lanes:
    """The lanes of the systems that have one."""
    return Lanes({name: lane for name, lane in lanes if lane is not None})
