"""What the shell asks of a store; the memory store and PostgreSQL pass one contract suite."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from shared.audit import GENESIS, AuditHead, AuditRow
from shared.events.envelope import Raw
from shared.machine.decision import Kept, TaskPlan, TaskStatus

# Which request, by whom, under which id.
CommandKey = tuple[UUID, str, UUID]


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case as it lies in the store, locked by the transaction that read it."""

    request_id: UUID
    opened_month: date
    business: str = ""
    body: str | None = None
    applied: dict[str, int] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    audit_seq: int = 0
    audit_head: str = ""
    blocked: bool = False
    wake_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def head(self) -> AuditHead:
        """The end of the case's audit chain."""
        return AuditHead(self.audit_seq, self.audit_head) if self.audit_seq else GENESIS

    def with_head(self, row: AuditRow) -> "CaseRow":
        """The row after its chain grew by one."""
        return replace(self, audit_seq=row.seq, audit_head=row.hash)


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A record to be sent; `sequence` is None for commands and dead letters."""

    topic: str
    key: str
    headers: dict[str, str]
    value: bytes
    opened_month: date
    request_id: UUID | None = None
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class NewTask:
    """A planned task with the id that the shell gave it."""

    task_id: UUID
    request_id: UUID
    plan: TaskPlan
    run_at: datetime


@dataclass(frozen=True, slots=True)
class FinishedTask:
    """A claim to have finished: it counts only under the epoch that the store still knows."""

    task_id: UUID
    epoch: int
    status: TaskStatus
    result: str


@dataclass(frozen=True, slots=True)
class ParkedKey:
    """Which parked record: two sources may use one id."""

    request_id: UUID
    topic: str
    source: str
    message_id: UUID


@dataclass(frozen=True, slots=True)
class Parked:
    """A record that waits for its turn; `sequence` is None for a command, which waits for a blocked case."""

    key: ParkedKey
    sequence: int | None
    raw: Raw


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What could not be read or handled, sealed; its id follows from the record and the reason."""

    id: UUID
    at: datetime
    raw: Raw
    reason: str
    sealed: str
    request_id: UUID | None = None
    field: str | None = None


@dataclass(slots=True)
class Writes:
    """Everything that one transaction changes, written in bulk."""

    cases: list[CaseRow] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    tasks: list[NewTask] = field(default_factory=list)
    hurried: list[tuple[UUID, str, datetime]] = field(default_factory=list)
    audit: list[AuditRow] = field(default_factory=list)
    commands: list[CommandKey] = field(default_factory=list)
    kept: list[tuple[UUID, Kept]] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    unparked: list[ParkedKey] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)


class Transaction(Protocol):
    """One open transaction; leaving the context commits, an exception rolls back."""

    async def lock(self, request_ids: Sequence[UUID], month: date) -> dict[UUID, CaseRow]:
        """Insert the missing rows and lock all of them, in request-id order."""
        ...

    async def lock_due(self, request_ids: Sequence[UUID], now: datetime) -> dict[UUID, CaseRow]:
        """Lock those whose wake-up time has come and that are not blocked, skipping those that others hold."""
        ...

    async def seen_commands(self, commands: Sequence[CommandKey]) -> set[CommandKey]:
        """Which of these were applied before."""
        ...

    async def known_letters(self, letter_ids: Sequence[UUID]) -> set[UUID]:
        """Which of these dead letters are there already."""
        ...

    async def finish(self, finished: Sequence[FinishedTask]) -> set[UUID]:
        """Write finished tasks under their epochs; the ids of those that still counted."""
        ...

    async def write(self, writes: Writes) -> None:
        """Write everything in bulk."""
        ...


class Store(Protocol):
    """Where a service's cases live."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction."""
        ...

    async def due(self, now: datetime, limit: int) -> list[UUID]:
        """Cases whose wake-up time has come, the longest due first; nothing is locked."""
        ...

    async def ready_parked(self, limit: int) -> list[Parked]:
        """Parked records of cases that are not blocked: commands, and events from the next in sequence on."""
        ...

    async def oldest_gap_seconds(self) -> float:
        """How long the longest-waiting parked record has waited; 0 when none waits."""
        ...
