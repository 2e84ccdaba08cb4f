"""One transaction's work: its cases are locked, its messages are taken in the order in which they came."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Generic
from uuid import UUID

import structlog

from shared.machine.batch import Batch, Working
from shared.machine.decision import C, Context, Decision, Message, TaskFinished, Wake
from shared.machine.gate import classify
from shared.machine.own_records import finished_task
from shared.machine.parts import Parts, Result, Status
from shared.machine.ports import CaseRow, CommandKey, Transaction

log = structlog.get_logger("machine")
WAKE_AGAIN = timedelta(minutes=1)


@dataclass(slots=True)
class Run(Generic[C]):
    """The locked cases of one transaction, and what they were found to know already."""

    parts: Parts[C]
    batch: Batch[C]
    working: dict[UUID, Working[C]]
    seen: set[CommandKey]
    counted: set[UUID]
    facts: Mapping[UUID, Any]

    def take(self, message: Message) -> Result:
        """Let the gate judge, then the domain."""
        working = self.working.get(message.request_id)
        if working is None or not self._counts(message):
            return Result(message, "stale", case=working.case if working else None)
        verdict = classify(working.row, message, self._seen_by(message))
        if verdict == "duplicate":
            self.batch.unpark(message)
            return Result(message, "duplicate", case=working.case)
        if verdict == "park":
            self.batch.park(message)
            return Result(message, "parked", case=working.case)
        return self._decide(working, message)

    def _counts(self, message: Message) -> bool:
        """A task that was finished before, or whose lease went to somebody else, has nothing to say any more."""
        return not isinstance(message.body, TaskFinished) or message.body.task_id in self.counted

    def _seen_by(self, message: Message) -> set[tuple[str, UUID]]:
        key = (message.request_id, message.source, message.id)
        return {key[1:]} if message.kind == "command" and key in self.seen else set()

    def _decide(self, working: Working[C], message: Message) -> Result:
        decision = self._decision(working, message)
        self.batch.apply(working, decision, message)
        if message.kind == "command":
            self.seen.add((message.request_id, message.source, message.id))
        status: Status = "applied" if decision.refusal is None else "refused"
        return Result(message, status, decision.refusal, working.case)

    def _decision(self, working: Working[C], message: Message) -> Decision[C]:
        refusal = self.parts.admit(message) if message.kind == "command" else None
        if refusal is not None:
            return Decision(working.case, wake_at=working.wake_at, refusal=refusal)
        context = Context(
            now=self.batch.now,
            audit_head=working.head.hash,
            entropy=secrets.token_bytes(32),
            facts=self.facts.get(message.request_id),
        )
        if isinstance(message.body, Wake):
            return _later(self.parts.domain.wake(working.case, context), message.request_id, self.batch.now)
        return self.parts.domain.decide(working.case, message, context)


async def open_run(
    parts: Parts[C], transaction: Transaction, messages: Sequence[Message], now: datetime
) -> Run[C]:
    """Lock the batch's cases and read what decides about its messages."""
    rows = await _locked(transaction, messages, now)
    batch = Batch(parts.domain, parts.sealer, now)
    finished = [m for m in messages if isinstance(m.body, TaskFinished)]
    commands = [(m.request_id, m.source, m.id) for m in messages if m.kind == "command"]
    held = [m for m in messages if m.request_id in rows]
    return Run(
        parts=parts,
        batch=batch,
        working={request_id: batch.adopt(row) for request_id, row in rows.items()},
        seen=await transaction.seen_commands(commands),
        counted=await transaction.finish([finished_task(m.body) for m in finished]),
        facts=await parts.facts(transaction, held) if parts.facts and held else {},
    )


async def _locked(
    transaction: Transaction, messages: Sequence[Message], now: datetime
) -> dict[UUID, CaseRow]:
    """A batch of wakings leaves alone what others hold, and what is not due any more now that it is locked."""
    ids = [message.request_id for message in messages]
    if not ids:
        return {}
    if all(isinstance(message.body, Wake) for message in messages):
        return await transaction.lock_due(ids, now)
    return await transaction.lock(ids, now.date().replace(day=1))


def _later(decision: Decision[C], request_id: UUID, now: datetime) -> Decision[C]:
    """A case that stays due would be woken without end, and its chain would grow with every turn."""
    if decision.wake_at is None or decision.wake_at > now:
        return decision
    log.error("wake.not_moved", request_id=str(request_id))
    return replace(decision, wake_at=now + WAKE_AGAIN)
