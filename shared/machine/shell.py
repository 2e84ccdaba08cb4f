"""The one shell around every domain: a batch of messages in, one transaction, commit.

Handlers never publish and never call out: what has to leave is a row that the relay or a leased task takes up after
the commit. A batch that fails for a deterministic reason is run again one message at a time, so that one bad
message costs one dead letter and its neighbours nothing.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, Literal, Protocol
from uuid import UUID

import structlog

from shared.clock import Clock
from shared.database import REPEAT_AT_ONCE, TRANSIENT
from shared.events.envelope import Raw, Unreadable
from shared.ids import new_id
from shared.machine.batch import Batch, Sealer, Working
from shared.machine.decision import C, Context, Decision, Domain, Message, TaskFinished
from shared.machine.gate import classify
from shared.machine.incoming import to_incoming
from shared.machine.own_records import dead_record, finished_task, local_raw, wake_message
from shared.machine.ports import DeadLetter, Store, Transaction

log = structlog.get_logger("machine")
AT_ONCE = 3
Status = Literal["applied", "refused", "duplicate", "parked", "stale", "dead"]


class DeadLetterSealer(Protocol):
    """Seals what could not be read, under the month's key."""

    async def seal(self, raw: bytes, *, letter_id: UUID, now: datetime) -> str:
        """Authenticated encryption of a record, bound to the letter's id."""
        ...


Prepare = Callable[[Sequence[Message]], Awaitable[Sequence[Any]]]
Admit = Callable[[Message], str | None]
Facts = Callable[[Transaction, Sequence[Message]], Awaitable[dict[UUID, Any]]]


class Observer(Protocol):
    """Is told after each commit; wakes the relay, the timers and the tasks, and counts."""

    def committed(self, results: Sequence["Result"], wrote: "Wrote") -> None:
        """A transaction was committed."""
        ...


@dataclass(frozen=True, slots=True)
class Wrote:
    """What a committed transaction left for others to do."""

    records: int
    tasks: int
    parked: int


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one message; `case` is the case after it."""

    message: Message | Unreadable
    status: Status
    refusal: str | None = None
    case: Any = None


@dataclass(frozen=True, slots=True)
class Parts(Generic[C]):
    """What a shell is made of; `app` puts it together."""

    domain: Domain[C]
    store: Store
    clock: Clock
    sealer: Sealer
    dead_letters: DeadLetterSealer
    prepare: Prepare
    admit: Admit
    observer: Observer
    facts: Facts | None = None


class Shell(Generic[C]):
    """Runs a domain over its store."""

    def __init__(self, parts: Parts[C]) -> None:
        self.parts = parts
        self._may_have_parked = True

    async def handle(self, incoming: Sequence[Message | Unreadable]) -> list[Result]:
        """Apply a batch in one transaction; results are in the order of the batch.

        Raises:
            what `shared.database.TRANSIENT` names: nothing is known to have happened, and all of it may be repeated.
        """
        if not incoming:
            return []
        try:
            return await self._prepared(incoming)
        except TRANSIENT:
            raise
        except Exception as error:  # noqa: BLE001 - the one place: a bug or a refused write must not stop the partition
            if len(incoming) == 1:
                return [await self._bury(incoming[0], error)]
            log.warning("batch.apart", rows=len(incoming), error_type=type(error).__name__)
            return [result for item in incoming for result in await self.handle([item])]

    async def drain_parked(self, limit: int = 200) -> int:
        """Apply parked records whose turn has come; the number looked at."""
        if not self._may_have_parked:
            return 0
        raws = await self.parts.store.ready_parked(limit)
        if not raws:
            self._may_have_parked = await self.parts.store.oldest_gap_seconds() > 0
            return 0
        await self.handle([to_incoming(raw) for raw in raws])
        return len(raws)

    async def wake_due(self, limit: int = 200) -> int:
        """Let the domain look at cases whose wake-up time has come; the number woken."""
        now = self.parts.clock.now()
        async with self.parts.store.transaction() as transaction:
            rows = await transaction.lock_due(now, limit)
            batch = Batch(self.parts.domain, self.parts.sealer, now)
            working = {request_id: batch.adopt(row) for request_id, row in rows.items()}
            for item in working.values():
                self._wake(batch, item, now)
            await transaction.write(batch.finish(working))
        self._committed([], batch)
        return len(rows)

    async def _prepared(self, incoming: Sequence[Message | Unreadable]) -> list[Result]:
        messages = [item for item in incoming if isinstance(item, Message)]
        facts = await self.parts.prepare(messages) if messages else []
        known = dict(zip((id(m) for m in messages), facts, strict=True))
        ready = [
            replace(item, facts=known[id(item)]) if isinstance(item, Message) else item for item in incoming
        ]
        for attempt in range(1, AT_ONCE + 1):
            try:
                return await self._transaction(ready)
            except REPEAT_AT_ONCE:
                if attempt == AT_ONCE:
                    raise
        raise AssertionError

    async def _transaction(self, incoming: Sequence[Message | Unreadable]) -> list[Result]:
        now = self.parts.clock.now()
        messages = [item for item in incoming if isinstance(item, Message)]
        async with self.parts.store.transaction() as transaction:
            run = await self._open(transaction, messages, now)
            results = [await self._one(run, item) for item in incoming]
            await transaction.write(run.batch.finish(run.working))
        self._committed(results, run.batch)
        return results

    async def _open(self, transaction: Transaction, messages: Sequence[Message], now: datetime) -> "_Run[C]":
        month = now.date().replace(day=1)
        rows = await transaction.lock([message.request_id for message in messages], month)
        batch = Batch(self.parts.domain, self.parts.sealer, now)
        finished = [m for m in messages if isinstance(m.body, TaskFinished)]
        return _Run(
            batch=batch,
            now=now,
            working={request_id: batch.adopt(row) for request_id, row in rows.items()},
            seen=await transaction.seen_commands(
                [(m.request_id, m.source, m.id) for m in messages if m.kind == "command"]
            ),
            counted=await transaction.finish([finished_task(m.body) for m in finished]),
            facts=await self.parts.facts(transaction, messages) if self.parts.facts else {},
        )

    async def _one(self, run: "_Run[C]", item: Message | Unreadable) -> Result:
        if isinstance(item, Unreadable):
            await self._dead(run.batch, item.raw, item.reason, field=item.field, request_id=item.request_id)
            return Result(item, "dead")
        working = run.working[item.request_id]
        if isinstance(item.body, TaskFinished) and item.body.task_id not in run.counted:
            return Result(item, "stale", case=working.case)
        verdict = classify(working.row, item, run.seen)
        if verdict == "duplicate":
            run.batch.unpark(item)
            return Result(item, "duplicate", case=working.case)
        if verdict == "park":
            run.batch.park(item)
            self._may_have_parked = True
            return Result(item, "parked", case=working.case)
        return self._decide(run, working, item)

    def _decide(self, run: "_Run[C]", working: Working[C], message: Message) -> Result:
        decision = self._decision(run, working, message)
        run.batch.apply(working, decision, message)
        run.seen.add((message.source, message.id))
        status: Status = "applied" if decision.refusal is None else "refused"
        return Result(message, status, decision.refusal, working.case)

    def _decision(self, run: "_Run[C]", working: Working[C], message: Message) -> Decision[C]:
        refusal = self.parts.admit(message) if message.kind == "command" else None
        if refusal is not None:
            return Decision(working.case, wake_at=working.row.wake_at, refusal=refusal)
        context = Context(
            now=run.now,
            audit_head=working.head.hash,
            entropy=secrets.token_bytes(32),
            facts=run.facts.get(message.request_id),
        )
        return self.parts.domain.decide(working.case, message, context)

    def _wake(self, batch: Batch[C], working: Working[C], now: datetime) -> None:
        context = Context(now=now, audit_head=working.head.hash, entropy=secrets.token_bytes(32))
        try:
            decision = self.parts.domain.wake(working.case, context)
        except Exception:  # a case that cannot be woken is a person's work; the others go on
            log.exception("wake.failed", request_id=str(working.row.request_id))
            batch.block(working)
            return
        batch.apply(working, decision, wake_message(working.row.request_id, now))

    async def _bury(self, item: Message | Unreadable, error: Exception) -> Result:
        """Make a dead letter of what cannot be handled, and block its case until a person has looked."""
        reason = f"unhandled:{type(error).__name__}"
        log.error("message.buried", reason=reason, exc_info=not isinstance(item, Unreadable))
        now = self.parts.clock.now()
        ids = [item.request_id] if item.request_id is not None else []
        async with self.parts.store.transaction() as transaction:
            batch = Batch(self.parts.domain, self.parts.sealer, now)
            rows = await transaction.lock(ids, now.date().replace(day=1)) if ids else {}
            working = {request_id: batch.adopt(row) for request_id, row in rows.items()}
            for each in working.values():
                batch.block(each)
            raw = item.raw or local_raw(item)
            await self._dead(batch, raw, reason, request_id=item.request_id)
            await transaction.write(batch.finish(working))
        self._committed([], batch)
        return Result(item, "dead")

    async def _dead(
        self,
        batch: Batch[C],
        raw: Raw,
        reason: str,
        *,
        field: str | None = None,
        request_id: UUID | None = None,
    ) -> None:
        letter_id = new_id()
        letter = DeadLetter(
            id=letter_id,
            at=batch.now,
            raw=raw,
            reason=reason,
            sealed=await self.parts.dead_letters.seal(raw.to_bytes(), letter_id=letter_id, now=batch.now),
            request_id=request_id,
            field=field,
        )
        batch.writes.dead.append(letter)
        batch.writes.outbox.append(dead_record(self.parts.domain.name, letter))

    def _committed(self, results: Sequence[Result], batch: Batch[C]) -> None:
        writes = batch.writes
        self.parts.observer.committed(
            results, Wrote(len(writes.outbox), len(writes.tasks) + len(writes.hurried), len(writes.parked))
        )


@dataclass(slots=True)
class _Run(Generic[C]):
    batch: Batch[C]
    now: datetime
    working: dict[UUID, Working[C]]
    seen: set[tuple[str, UUID]]
    counted: set[UUID]
    facts: dict[UUID, Any]
