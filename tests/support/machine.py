"""A shell around the counting domain, over either store, and the records that it reads."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from shared.audit import AuditHead, verify_chain
from shared.dead_letter_seal import DeadLetterSeal
from shared.events import envelope
from shared.events.commands import AnswerChallenge
from shared.events.envelope import Envelope, Raw
from shared.events.intake import RequestWithdrawn
from shared.events.message import Body
from shared.ids import new_id
from shared.machine.batcher import Batcher
from shared.machine.decision import Message, TaskFinished, TaskStatus
from shared.machine.incoming import to_incoming
from shared.machine.parts import Parts, Result, Wrote
from shared.machine.ports import OutboxRow, Store
from shared.machine.shell import Shell
from shared.vault import Vault
from tests.support.counting_domain import Count, CountingDomain
from tests.support.memory_vault import memory_vault
from tests.support.store_worlds import MemoryWorld, StoreWorld

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOURCES = UUID("00000000-0000-4000-8000-0000000000aa")


@dataclass
class HandClock:
    """Stands still until it is moved."""

    time: datetime = NOON

    def now(self) -> datetime:
        return self.time

    def pass_(self, **by: float) -> None:
        self.time += timedelta(**by)


@dataclass
class Watcher:
    """Remembers what was committed."""

    results: list[Result] = field(default_factory=list)
    wrote: list[Wrote] = field(default_factory=list)

    def committed(self, results: Sequence[Result], wrote: Wrote) -> None:
        self.results.extend(results)
        self.wrote.append(wrote)


class Upstream:
    """Makes records as the writers of the topics would: gap-free sequences, an offset each."""

    def __init__(self) -> None:
        self._sequences: dict[tuple[str, UUID], int] = {}
        self._offsets = itertools.count()

    def event(self, request_id: UUID, words: str = "heard", *, at: datetime = NOON) -> Raw:
        """The next event of `dsar.received` about a request."""
        return self.record(request_id, RequestWithdrawn(withdrawn_at=at, audit_head=words))

    def record(self, request_id: UUID, body: Body) -> Raw:
        """The next event of a topic."""
        topic = body.declared.topic
        sequence = self._sequences[topic.name, request_id] = (
            self._sequences.get((topic.name, request_id), 0) + 1
        )
        return self._raw(request_id, body, source=f"habeas/{topic.writers[0]}", sequence=sequence)

    def command(
        self,
        request_id: UUID,
        words: str = "asked",
        *,
        source: str = "habeas/intake",
        number: UUID | None = None,
    ) -> Raw:
        """A command; `number` is its id where a test sends it twice."""
        return self._raw(request_id, AnswerChallenge(code=words), source=source, number=number)

    def _raw(
        self,
        request_id: UUID,
        body: Body,
        *,
        source: str,
        sequence: int | None = None,
        number: UUID | None = None,
    ) -> Raw:
        head = Envelope(
            id=number or new_id(),
            source=source,
            ce_type=body.declared.ce_type,
            subject=request_id,
            time=NOON,
            sequence=sequence,
            business="cascadia",
            correlation_id=str(request_id),
            traceparent="",
            signature=None,
        )
        headers = tuple((name, value.encode()) for name, value in envelope.write(head).items())
        topic, value = body.declared.topic.name, body.model_dump_json().encode()
        return Raw(topic, 0, next(self._offsets), str(request_id).encode(), headers, value)


def with_header(raw: Raw, name: str, value: bytes | None) -> Raw:
    """The record with a header changed, or without it."""
    others = tuple(header for header in raw.headers if header[0] != name)
    return replace(raw, headers=others if value is None else (*others, (name, value)))


class Machine:
    """One service's process; `another` is a second one over the same tables."""

    def __init__(
        self,
        world: StoreWorld | None = None,
        *,
        domain: CountingDomain | None = None,
        clock: HandClock | None = None,
        store: Store | None = None,
        vault: Vault | None = None,
    ) -> None:
        self.world = world or MemoryWorld()
        self.domain = domain or CountingDomain()
        self.clock = clock or HandClock()
        self.vault = vault or memory_vault()
        self.watcher = Watcher()
        self.refused_sources: set[str] = set()
        self.forgets_facts = False
        self.shell: Shell[Count] = Shell(
            Parts(
                domain=self.domain,
                store=store or self.world.store,
                clock=self.clock,
                sealer=self.vault,
                dead_letters=DeadLetterSeal(self.vault),
                prepare=self._prepare,
                admit=self._admit,
                observer=self.watcher,
            )
        )
        self.batcher = Batcher(self.shell)
        self.tasks = self.world.tasks(self.domain, self.clock)

    def another(self) -> "Machine":
        return Machine(self.world, domain=self.domain, clock=self.clock, vault=self.vault)

    async def hear(self, *raws: Raw) -> list[str]:
        """Take a batch off the topics; what became of each record. Parked ones follow, as after every batch."""
        results = await self.shell.handle([to_incoming(raw) for raw in raws])
        await self.shell.drain_parked()
        return [result.status for result in results]

    async def end(
        self, request_id: UUID, key: str, *, epoch: int = 1, status: TaskStatus = "done", **result: Any
    ) -> str:
        """Say that a task ended."""
        (told,) = await self.shell.handle(
            [await self.ended(request_id, key, epoch=epoch, status=status, **result)]
        )
        return told.status

    async def ended(
        self, request_id: UUID, key: str, *, epoch: int = 1, status: TaskStatus = "done", **result: Any
    ) -> Message:
        """The message that a task ended."""
        task = await self.world.task(request_id, key)
        assert task is not None
        body = TaskFinished(
            task_id=task.task_id, key=key, handler="count", epoch=epoch, status=status, result=result
        )
        return local(request_id, body, at=self.clock.now())

    async def case(self, request_id: UUID) -> Count:
        """The case as it lies in the store."""
        row = await self.world.case(request_id)
        if row is None or row.body is None:
            return Count()
        return Count.model_validate_json(row.body)

    async def is_blocked(self, request_id: UUID) -> bool:
        row = await self.world.case(request_id)
        return row is not None and row.blocked

    async def chain(self, request_id: UUID) -> list[str]:
        """The kinds of a request's audit rows, once the chain has been verified against the case."""
        rows = await self.world.audit(request_id)
        row = await self.world.case(request_id)
        assert row is not None
        assert verify_chain(rows) == AuditHead(row.audit_seq, row.audit_head)
        return [entry.kind for entry in rows]

    async def is_sound(self, *request_ids: UUID) -> None:
        """Every chain verifies, and what was sent about a request is numbered without a gap on each topic."""
        rows = await self.world.outbox()
        for request_id in request_ids:
            await self.chain(request_id)
            events = [row for row in rows if row.request_id == request_id and row.sequence is not None]
            for topic in {row.topic for row in events}:
                sent = [row.sequence for row in events if row.topic == topic]
                assert sent == list(range(1, len(sent) + 1)), topic

    async def answers(self, request_id: UUID) -> list[str]:
        """What commands about a request were answered: accepted, or the reason of the refusal."""
        rows = [row for row in await self.world.outbox() if row.request_id == request_id]
        bodies = [json.loads(row.value) for row in rows if "command-" in row.headers["ce_type"]]
        return [body.get("reason", "accepted") for body in bodies]

    async def dead_records(self) -> list[OutboxRow]:
        """What was sent to the topic of dead letters."""
        return [row for row in await self.world.outbox() if row.topic.startswith("dsar.dead-letters.")]

    async def _prepare(self, messages: Sequence[Message]) -> Sequence[None]:
        return [None for _ in messages][int(self.forgets_facts) :]

    def _admit(self, message: Message) -> str | None:
        return "source_not_allowed" if message.source in self.refused_sources else None


def local(request_id: UUID, body: Body, *, at: datetime = NOON) -> Message:
    """What a service says to itself."""
    return Message(
        id=new_id(),
        ce_type="local.told",
        source="local",
        kind="local",
        request_id=request_id,
        body=body,
        at=at,
    )


def request(number: int) -> UUID:
    """A request's id: later numbers sort after earlier ones."""
    return UUID(int=(number << 64) | (0x8000 << 48) | uuid5(SOURCES, str(number)).int & (2**32 - 1))
