"""What a task's handler is given, and what it may answer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from shared.machine.decision import TaskStatus

GoesOn = Callable[[], Awaitable[None]]
"""Says that an attempt got further: its lease and its time limit begin anew."""


class LeaseLostError(Exception):
    """The task is somebody else's by now: what this attempt still does counts for nothing."""


async def unwatched() -> None:
    """For an attempt that nobody times."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A task under our lease and epoch.

    `settle` means that an earlier attempt may have called out: prove first, act only if nothing was done.
    `frozen` is the sealed set of ids of that attempt, sealed under `frozen_id`. Who has much to do calls `goes_on`
    whenever a part of it is done.
    """

    task_id: UUID
    request_id: UUID
    key: str
    handler: str
    purpose: str
    body: Mapping[str, Any]
    epoch: int
    attempts: int
    settle: bool
    urgency: datetime
    frozen: str | None = None
    frozen_id: UUID | None = None
    idempotency_key: str | None = None
    goes_on: GoesOn = field(default=unwatched, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Finished:
    """The task ended; `result` is JSON-able, holds no identity, and reaches the domain."""

    status: TaskStatus
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Again:
    """Not yet: look again after `after`; `ambiguous` says that something may have been done."""

    after: timedelta
    reason: str
    ambiguous: bool = False


Answer = Finished | Again


class Calling(Protocol):
    """Commits the intent to call out."""

    async def __call__(
        self,
        *,
        frozen: str | None = None,
        frozen_id: UUID | None = None,
        idempotency_key: str | None = None,
        about: Sequence[str] = (),
    ) -> bool:
        """Store what the call is bound to and commit `CALLING`; False when the task must not go on.

        `about` are keyed hashes of whom the call is about, for the service's `standing`; they are stored nowhere.
        A handler that was answered False ends as canceled; the runner puts that right where the rules say wait.
        """
        ...


class Handler(Protocol):
    """Does one kind of task; stateless, never retries across attempts, never logs a person."""

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        """Do it, or settle it. Whatever it raises makes the attempt ambiguous once `calling` was committed."""
        ...
