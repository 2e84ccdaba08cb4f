"""What a shell is made of, and the words in which it answers."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, Protocol
from uuid import UUID

from shared.clock import Clock
from shared.events.envelope import Unreadable
from shared.machine.batch import Sealer
from shared.machine.decision import C, Domain, Message
from shared.machine.ports import Store, Transaction, Writes

Status = Literal["applied", "refused", "duplicate", "parked", "stale", "dead"]
Prepare = Callable[[Sequence[Message]], Awaitable[Sequence[Any]]]
Admit = Callable[[Message], str | None]
Facts = Callable[[Transaction, Sequence[Message]], Awaitable[dict[UUID, Any]]]
Beside = Callable[[Transaction, Sequence["Result"]], Awaitable[None]]


class Keys(Sealer, Protocol):
    """The vault, as the shell uses it."""

    async def prefetch(self, request_ids: Sequence[UUID]) -> None:
        """Open the keys of these requests."""
        ...


class DeadLetterSealer(Protocol):
    """Seals what could not be read, under the month's key."""

    async def seal(self, raw: bytes, *, letter_id: UUID, now: datetime) -> str:
        """Authenticated encryption of a record, bound to the letter's id."""
        ...


class Observer(Protocol):
    """Is told after each commit; wakes the relay, the timers and the tasks, and counts."""

    def committed(self, results: Sequence["Result"], wrote: "Wrote") -> None:
        """A transaction was committed; raising here would make it look as if it was not."""
        ...


@dataclass(frozen=True, slots=True)
class Wrote:
    """What a committed transaction left for others to do; `facts` counts its records by their type."""

    records: int
    tasks: int
    parked: int
    facts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, writes: Writes) -> "Wrote":
        facts = Counter(row.headers["ce_type"] for row in writes.outbox)
        tasks = len(writes.tasks) + len(writes.hurried)
        return cls(len(writes.outbox), tasks, len(writes.parked), facts)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one message; `case` is the case after it."""

    message: Message | Unreadable
    status: Status
    refusal: str | None = None
    case: Any = None


@dataclass(frozen=True, slots=True)
class Parts(Generic[C]):
    """What a shell is made of; `app` puts it together.

    `beside` runs in the transaction once the batch is decided: it writes what lies in the service's own tables.
    """

    domain: Domain[C]
    store: Store
    clock: Clock
    sealer: Keys
    dead_letters: DeadLetterSealer
    prepare: Prepare
    admit: Admit
    observer: Observer
    facts: Facts | None = None
    beside: Beside | None = None
