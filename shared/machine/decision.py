"""The words between a pure domain and the shell: what comes in, what a decision says.

Nothing here does I/O, reads a clock or makes an id: time, ids and entropy come in with the `Context`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.events.envelope import Raw
from shared.events.message import Body, Command, Event


class Case(BaseModel):
    """One service's facts about one request: frozen, JSON of at most 4 KB, no identity."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


C = TypeVar("C", bound=Case)
Kind = Literal["event", "command", "local"]


@dataclass(frozen=True, slots=True)
class Message:
    """One thing a service hears about one request, from a topic or from itself (`local`).

    `digest` is the SHA-256 of the record's bytes; `facts` is what the service's `prepare` found out beforehand
    (an opened claim, a checked assertion): plaintext lives only there, and only for the batch. `parked` says that
    the record had to wait in our own table.
    """

    id: UUID
    ce_type: str
    source: str
    kind: Kind
    request_id: UUID
    body: Body
    at: datetime
    topic: str = ""
    sequence: int | None = None
    digest: str = ""
    business: str = ""
    correlation_id: str = ""
    traceparent: str = ""
    signature: str | None = None
    raw: Raw | None = None
    parked: bool = False
    facts: Any = None


@dataclass(frozen=True, slots=True)
class Context:
    """What a decision may know besides case and message."""

    now: datetime
    audit_head: str
    entropy: bytes
    facts: Any = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A body to send about this request; `seal` names fields whose plaintext the shell seals for it.

    `to` names the vendor whose topic it goes to, where each vendor has one of its own. On a state topic `key` says
    what the record is about instead of this request, and `over` that there is nothing to say of it any more.
    """

    body: Body
    seal: Mapping[str, bytes] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    to: str = ""
    key: str = ""
    over: bool = False

    @property
    def topic(self) -> str:
        """The topic that it goes to."""
        return self.body.declared.topic.of(self.to).name


@dataclass(frozen=True, slots=True)
class Kept:
    """A sealed field of a message, remembered under `name` so that a task can open it later."""

    name: str
    message_id: UUID
    field: str
    sealed: str


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """Work that touches the outside. `key` is unique within the request and never reused for another meaning.

    `urgency` orders the queue (earliest deadline first); `purpose` decides what is checked again when it is
    claimed; `body` is JSON-able and holds no identity.
    """

    key: str
    handler: str
    purpose: Literal["match", "act", "notice", "document"]
    urgency: datetime
    run_at: datetime | None = None
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision(Generic[C]):
    """What one message means for one case.

    A refusal is a value: a refused message leaves the case as it was and is answered with `refusal`.
    `hurry` names tasks to look at now, whatever they wait for: what must not run any more is stopped by `permit`
    when it is claimed, what may have called out already is settled by proof.
    """

    case: C
    events: tuple[Outgoing, ...] = ()
    commands: tuple[Outgoing, ...] = ()
    tasks: tuple[TaskPlan, ...] = ()
    keep: tuple[Kept, ...] = ()
    hurry: tuple[str, ...] = ()
    wake_at: datetime | None = None
    refusal: str | None = None
    closes: bool = False


TaskStatus = Literal["done", "needs_person", "canceled"]


class TaskFinished(Event):
    """A task of ours ended; it comes through the same shell as everything else."""

    task_id: UUID
    key: str
    handler: str
    epoch: int
    status: TaskStatus
    result: dict[str, Any]


class Wake(Event):
    """The time that the case asked to be woken at has come."""


@dataclass(frozen=True, slots=True)
class Go:
    """The task may run."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The task must not run any more; it ends as canceled for `reason`.

    What may have called out is settled first all the same, unless `settled` says that somebody has done that.
    """

    reason: str
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """The task must not run now; it is looked at again at `until`."""

    until: datetime
    reason: str


class Domain(Protocol[C]):
    """A service's rules: pure functions over its case. Facts merge in any order."""

    name: str
    case_type: type[C]

    def open(self, request_id: UUID) -> C:
        """The case before anything was heard."""
        ...

    def decide(self, case: C, message: Message, context: Context) -> Decision[C]:
        """What a message means; raising is a bug and makes the message a dead letter."""
        ...

    def wake(self, case: C, context: Context) -> Decision[C]:
        """What the passing of time means; called once `wake_at` has come."""
        ...

    def permit(self, case: C, key: str, purpose: str, context: Context) -> Go | Stop | Wait:
        """Whether a task may go on, asked in the transaction that claims it and before it calls out."""
        ...


def sealing(body: Event | Command, **plaintext: bytes) -> Outgoing:
    """A body some of whose fields the shell seals under the request's key."""
    return Outgoing(body, seal=plaintext)
