"""What the runner asks of a store of tasks; the memory store and PostgreSQL pass one contract suite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from shared.machine.decision import Go, Stop, Wait
from shared.tasks.work import Again, Claimed


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claiming transaction brought: tasks to run, tasks that must end as canceled, and how many must wait."""

    run: list[Claimed] = field(default_factory=list)
    stopped: list[tuple[Claimed, str]] = field(default_factory=list)
    waiting: int = 0

    @property
    def due(self) -> int:
        """How many due tasks were seen: as many as were asked for means that there may be more."""
        return len(self.run) + len(self.stopped) + self.waiting


@dataclass(frozen=True, slots=True)
class Bound:
    """What a call is bound to; what is None stays as an earlier attempt stored it.

    `about` is not stored: it says of whom the call is, in keyed hashes.
    """

    frozen: str | None = None
    frozen_id: UUID | None = None
    idempotency_key: str | None = None
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """The task is not ours any more: its lease ran out, or it ended."""


Permission = Go | Stop | Wait | Lost


class Lanes(Protocol):
    """Keeps apart what tasks wait for outside, so that one that hangs does not hold up the others."""

    def enter(self, task_id: UUID, body: Mapping[str, Any], urgency: datetime) -> timedelta | None:
        """Take a place for a task that is about to be claimed, or say how long it must wait."""
        ...

    def leave(self, task_id: UUID) -> None:
        """Give the place back; nothing happens for a task that has none."""
        ...

    def slow(self) -> int:
        """How many of the places are held by attempts that only wait, and take nothing from the others."""
        ...


class NoLanes:
    """Every task may go on at any time."""

    def enter(self, _task_id: UUID, _body: Mapping[str, Any], _urgency: datetime) -> timedelta | None:
        """Nothing stands in the way."""
        return None

    def leave(self, _task_id: UUID) -> None:
        """Nothing was taken."""

    def slow(self) -> int:
        """Nothing is known."""
        return 0


NO_LANES = NoLanes()


class Tasks(Protocol):
    """One service's tasks."""

    async def claim(self, handlers: Sequence[str], limit: int, lanes: Lanes = NO_LANES) -> Claim:
        """Take due tasks under a lease, most urgent first; the domain is asked again under each case's lock.

        A task that finds no place in its lane is put off, and does not count as tried.
        """
        ...

    async def calling(self, task: Claimed, bound: Bound) -> Permission:
        """Commit `CALLING` with what the call is bound to, if the domain still permits it."""
        ...

    async def extend(self, task: Claimed) -> bool:
        """Begin the lease anew for an attempt that gets on; False when the task is not ours any more."""
        ...

    async def again(self, task: Claimed, answer: Again) -> None:
        """Put a task back for later."""
        ...
