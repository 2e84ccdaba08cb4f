"""What the runner asks of a store of tasks; the memory store and PostgreSQL pass one contract suite."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
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
    def found(self) -> bool:
        """Whether anything was due."""
        return bool(self.run or self.stopped or self.waiting)


@dataclass(frozen=True, slots=True)
class Bound:
    """What a call is bound to; what is None stays as an earlier attempt stored it."""

    frozen: str | None = None
    frozen_id: UUID | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """The task is not ours any more: its lease ran out, or it ended."""


Permission = Go | Stop | Wait | Lost


class Tasks(Protocol):
    """One service's tasks."""

    async def claim(self, handlers: Sequence[str], limit: int) -> Claim:
        """Take due tasks under a lease, most urgent first; the domain is asked again under each case's lock."""
        ...

    async def calling(self, task: Claimed, bound: Bound) -> Permission:
        """Commit `CALLING` with what the call is bound to, if the domain still permits it."""
        ...

    async def again(self, task: Claimed, answer: Again) -> None:
        """Put a task back for later."""
        ...
