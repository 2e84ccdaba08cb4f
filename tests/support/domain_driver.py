"""Feeds messages to a domain the way the shell does, without any I/O: for the tests of every service's rules.

The gate, the sequences, the audit chain and the records are the machine's own (`gate.classify`, `Batch`); only the
database is missing. Every step also proves what holds of every case: it survives its JSON, which is small.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid5

from shared.events.catalogue import decode
from shared.events.envelope import Raw
from shared.events.message import Body, Command, Event
from shared.events.topics import SUPPRESSED
from shared.machine.batch import Batch, Working
from shared.machine.decision import (
    C,
    Context,
    Decision,
    Domain,
    Go,
    Kept,
    Message,
    Stop,
    TaskFinished,
    TaskPlan,
    TaskStatus,
    Wait,
    Wake,
)
from shared.machine.gate import classify
from shared.machine.incoming import to_incoming
from shared.machine.ports import CaseRow, OutboxRow
from shared.machine.shell import Status
from tests.support.sameness import is_same

B = TypeVar("B", bound=Body)
REQUEST = UUID("00000000-0000-4000-8000-000000000001")
MAX_CASE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Sent:
    """A record that the domain had sent; `opened` gives a sealed field's plaintext."""

    body: Body
    row: OutboxRow

    def opened(self, field: str) -> bytes:
        return PretendedSealer.open(getattr(self.body, field))


@dataclass(frozen=True, slots=True)
class Step(Generic[C]):
    """What one message led to."""

    status: Status
    case: C
    refusal: str | None = None
    sent: tuple[Sent, ...] = ()
    tasks: tuple[TaskPlan, ...] = ()

    def bodies(self, kind: type[B]) -> list[B]:
        return [one.body for one in self.sent if isinstance(one.body, kind)]


class Over(Body):
    """A state record without a value: nothing holds of its key any more."""


class PretendedSealer:
    """Writes the plaintext where the sealed bytes would be: only tests can read it back."""

    def seal(self, request_id: UUID, message_id: UUID, field: str, plaintext: bytes) -> str:
        return urlsafe_b64encode(plaintext).rstrip(b"=").decode()

    @staticmethod
    def open(sealed: str) -> bytes:
        return urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))


class Messages:
    """Makes messages as they come from topics: one source per topic, sequences without gaps, fixed ids."""

    def __init__(self, request_id: UUID = REQUEST, *, business: str = "cascadia") -> None:
        self.request_id = request_id
        self.business = business
        self._sequences: dict[str, int] = {}
        self._made = 0

    def event(self, body: Event, *, at: datetime, facts: Any = None, source: str | None = None) -> Message:
        """The next event of its topic about this request."""
        topic = body.declared.topic
        self._sequences[topic.name] = self._sequences.get(topic.name, 0) + 1
        made = self._message(body, source or f"habeas/{topic.writers[0]}", at, facts)
        return replace(made, kind="event", topic=topic.name, sequence=self._sequences[topic.name])

    def command(
        self, body: Command, *, at: datetime, facts: Any = None, source: str | None = None
    ) -> Message:
        """A command by the first source that may send it."""
        made = self._message(body, source or min(body.declared.sources), at, facts)
        return replace(made, kind="command", topic=body.declared.topic.name)

    def _message(self, body: Body, source: str, at: datetime, facts: Any) -> Message:
        self._made += 1
        value = body.model_dump_json().encode()
        return Message(
            id=uuid5(self.request_id, f"message {self._made}"),
            ce_type=body.declared.ce_type,
            source=source,
            kind="local",
            request_id=self.request_id,
            body=body,
            at=at,
            digest=hashlib.sha256(value).hexdigest(),
            business=self.business,
            facts=facts,
        )


class DomainDriver(Generic[C]):
    """One case of one domain; `now` is the time that decisions are given, `facts` what a transaction would read."""

    def __init__(self, domain: Domain[C], now: datetime, request_id: UUID = REQUEST) -> None:
        self.domain = domain
        self.now = now
        self.facts: Any = None
        self.sent: list[Sent] = []
        self.tasks: dict[str, TaskPlan] = {}
        self.kept: dict[str, Kept] = {}
        self.hurried: list[str] = []
        self._row = CaseRow(request_id=request_id, opened_month=now.date().replace(day=1))
        self._seen: set[tuple[str, UUID]] = set()
        self._parked: list[Message] = []
        self._turns = 0

    @property
    def case(self) -> C:
        return self._working(self._batch()).case

    @property
    def wake_at(self) -> datetime | None:
        return self._row.wake_at

    @property
    def is_closed(self) -> bool:
        return self._row.closed_at is not None

    def bodies(self, kind: type[B]) -> list[B]:
        """Everything of one type that was sent so far."""
        return [one.body for one in self.sent if isinstance(one.body, kind)]

    def deliver(self, message: Message, *, facts: Any = None) -> Step[C]:
        """Give the case one message; parked ones whose turn has come follow at once."""
        step = self._one(message, facts)
        while (ready := self._ready()) is not None:
            self._parked.remove(ready)
            self._one(ready, facts)
        return step

    def deliver_all(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self.deliver(message)

    def finish(self, key: str, status: TaskStatus = "done", **result: Any) -> Step[C]:
        """Tell the case that a task of its own ended."""
        body = TaskFinished(
            task_id=uuid5(self._row.request_id, key),
            key=key,
            handler=self.tasks[key].handler,
            epoch=1,
            status=status,
            result=result,
        )
        return self.local(body)

    def local(self, body: Body, *, facts: Any = None) -> Step[C]:
        """Give the case what its own service says to it (a finished task, an HTTP request)."""
        return self.deliver(self._local(body), facts=facts)

    def wake(self) -> Step[C]:
        """Let the domain look, whether or not its time has come; the next time must be a later one."""
        batch = self._batch()
        working = self._working(batch)
        decision = self.domain.wake(working.case, self._context(working))
        step = self._apply(batch, working, decision, self._local(Wake()))
        assert self.wake_at is None or self.wake_at > self.now, "a case that was woken must not be due again"
        return step

    def pass_time(self, until: datetime) -> None:
        """Let time pass, waking the case at each instant that it asked for."""
        while self.wake_at is not None and self.wake_at <= until:
            self.now = max(self.now, self.wake_at)
            self.wake()
        self.now = max(self.now, until)

    def permit(self, key: str) -> Go | Stop | Wait:
        """What the domain says of a task when it is claimed now."""
        return self.domain.permit(self.case, key, self.tasks[key].purpose, Context(self.now, "", b""))

    def read_back(self, sent: Sent) -> Message:
        """A record of ours as whoever reads its topic gets it."""
        headers = tuple((name, value.encode()) for name, value in sent.row.headers.items())
        message = to_incoming(Raw(sent.row.topic, 0, 0, sent.row.key.encode(), headers, sent.row.value))
        assert isinstance(message, Message)
        return message

    def _ready(self) -> Message | None:
        return next((one for one in self._parked if classify(self._row, one, self._seen) == "apply"), None)

    def _one(self, message: Message, facts: Any) -> Step[C]:
        verdict = classify(self._row, message, self._seen)
        if verdict == "park":
            self._parked.append(message)
            return Step("parked", self.case)
        if verdict == "duplicate":
            return Step("duplicate", self.case)
        batch = self._batch()
        working = self._working(batch)
        decision = self.domain.decide(working.case, message, self._context(working, facts))
        if message.kind == "command":
            self._seen.add((message.source, message.id))
        return self._apply(batch, working, decision, message)

    def _apply(
        self, batch: Batch[C], working: Working[C], decision: Decision[C], message: Message
    ) -> Step[C]:
        batch.apply(working, decision, message)
        writes = batch.finish({working.row.request_id: working})
        self._row = writes.cases[0]
        body = self._row.body or ""
        assert len(body.encode()) <= MAX_CASE_BYTES, "a case is at most 4 KB"
        read = self.domain.case_type.model_validate_json(body)
        assert is_same(read, working.case), "a case must survive its JSON"
        sent = tuple(Sent(self._decoded(row), row) for row in writes.outbox)
        # As in the store: a plan that is already there stays as it is.
        tasks = tuple(task.plan for task in writes.tasks if task.plan.key not in self.tasks)
        self.sent.extend(sent)
        self.tasks.update({plan.key: plan for plan in tasks})
        self.kept.update({kept.name: kept for _, kept in writes.kept})
        self.hurried.extend(key for _, key, _ in writes.hurried)
        status: Status = "applied" if decision.refusal is None else "refused"
        return Step(status, working.case, decision.refusal, sent, tasks)

    def _decoded(self, row: OutboxRow) -> Body:
        if row.topic == SUPPRESSED.name:
            # Nobody among the services reads a state topic.
            return decode(row.headers["ce_type"], row.value) if row.value else Over()
        headers = tuple((name, value.encode()) for name, value in row.headers.items())
        message = to_incoming(Raw(row.topic, 0, 0, row.key.encode(), headers, row.value))
        assert isinstance(message, Message), "what is sent must be readable"
        return message.body

    def _batch(self) -> Batch[C]:
        return Batch(self.domain, PretendedSealer(), self.now)

    def _working(self, batch: Batch[C]) -> Working[C]:
        return batch.adopt(self._row)

    def _context(self, working: Working[C], facts: Any = None) -> Context:
        self._turns += 1
        entropy = _entropy(self._turns)
        return Context(now=self.now, audit_head=working.head.hash, entropy=entropy, facts=facts or self.facts)

    def _local(self, body: Body) -> Message:
        self._turns += 1
        return Message(
            id=UUID(int=self._row.request_id.int ^ self._turns),
            ce_type="local",
            source="local",
            kind="local",
            request_id=self._row.request_id,
            body=body,
            at=self.now,
        )


@cache
def _entropy(turn: int) -> bytes:
    """The same each time, and another with each turn."""
    return hashlib.sha256(f"turn {turn}".encode()).digest()


def utc(text: str) -> datetime:
    """`2026-02-02 19:00` as an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
