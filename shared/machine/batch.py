"""What one transaction adds up to: the cases as they change, and everything to write with them."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Generic, Protocol
from uuid import UUID

from shared import audit
from shared.events import envelope as envelopes
from shared.events.envelope import Envelope
from shared.events.journal import command_answer
from shared.events.message import Body, Event
from shared.ids import new_id
from shared.machine.case_texts import CaseTexts, texts_of
from shared.machine.decision import C, Decision, Domain, Kept, Message, Outgoing
from shared.machine.ports import CaseRow, NewTask, OutboxRow, Parked, ParkedKey, Writes
from shared.machine.repetition import taken_off
from shared.machine.state_records import state_row


class Sealer(Protocol):
    """Seals a field under a request's key; the vault does this."""

    def seal(self, request_id: UUID, message_id: UUID, field: str, plaintext: bytes) -> str:
        """Authenticated encryption bound to request, message and field."""
        ...


@dataclass(slots=True)
class Working(Generic[C]):
    """A locked case on its way to its next state; of `row`, the gate and the counters grow in place."""

    row: CaseRow
    case: C
    opened: C
    head: audit.AuditHead
    wake_at: datetime | None
    touched: bool = False
    closed_at: datetime | None = None
    business: str = ""

    def written(self, texts: CaseTexts[C]) -> CaseRow:
        """The row that the batch leaves behind; a case that stayed as it was keeps its text."""
        body = self.row.body if self.case is self.opened else None
        return replace(
            self.row,
            body=body or texts.write(self.row.request_id, self.case),
            business=self.row.business or self.business,
            audit_seq=self.head.seq,
            audit_head=self.head.hash,
            wake_at=self.wake_at,
            closed_at=self.closed_at or self.row.closed_at,
        )


@dataclass(slots=True)
class Batch(Generic[C]):
    """Collects the writes of one transaction; nothing here touches a database."""

    domain: Domain[C]
    sealer: Sealer
    now: datetime
    writes: Writes = field(default_factory=Writes)

    def adopt(self, row: CaseRow) -> Working[C]:
        """The case of a locked row, opened if the domain has not seen it."""
        case = (
            self.domain.open(row.request_id)
            if row.body is None
            else texts_of(self.domain.case_type).read(row.request_id, row.body)
        )
        # The store's row stays as it was: a batch that fails is run again from it.
        own = replace(row, applied=dict(row.applied), sent=dict(row.sent))
        return Working(own, case, case, row.head, row.wake_at)

    def apply(self, working: Working[C], decision: Decision[C], message: Message) -> None:
        """Take over a decision: case, records, tasks, kept fields and the audit row."""
        sent: list[str] = []
        if decision.refusal is None:
            self._follow(working, decision, message, sent)
        if message.kind == "command":
            self._answer(working, message, decision.refusal, sent)
        self._audit(working, message, decision, sent)
        self._advance(working, message)
        working.touched = True

    def park(self, message: Message) -> None:
        """Keep a record that came too early, unless it is kept already."""
        if message.raw is not None and not message.parked:
            self.writes.parked.append(Parked(parked_key(message), message.sequence, message.raw))

    def finish(self, working: dict[UUID, Working[C]]) -> Writes:
        """The writes, with every touched case in its last state."""
        texts = texts_of(self.domain.case_type)
        self.writes.cases = [item.written(texts) for item in working.values() if item.touched]
        return self.writes

    def _follow(self, working: Working[C], decision: Decision[C], message: Message, sent: list[str]) -> None:
        working.case = decision.case
        leaving = (*decision.events, *decision.commands)
        sent.extend(self._send(working, outgoing, message) for outgoing in leaving)
        for plan in decision.tasks:
            task = NewTask(new_id(), message.request_id, plan, plan.run_at or self.now)
            self.writes.tasks.append(task)
        self.writes.kept.extend((message.request_id, kept) for kept in decision.keep)
        self.writes.hurried.extend((message.request_id, key, self.now) for key in decision.hurry)
        working.wake_at = decision.wake_at
        working.business = working.business or message.business
        if decision.closes:
            working.closed_at = self.now

    def _answer(self, working: Working[C], message: Message, refusal: str | None, sent: list[str]) -> None:
        answer = command_answer(
            self.domain.name,
            command_id=message.id,
            source=message.source,
            ce_type=message.ce_type,
            refused=refusal,
        )
        sent.append(self._send(working, Outgoing(answer), message))
        self.writes.commands.append((message.request_id, message.source, message.id))

    def _send(self, working: Working[C], outgoing: Outgoing, cause: Message) -> str:
        """Put one record into the outbox; returns its digest."""
        if outgoing.key:
            self.writes.outbox.append(row := state_row(outgoing, self.domain.name, self.now))
            return f"{outgoing.body.declared.ce_type}:{hashlib.sha256(row.value).hexdigest()}"
        message_id = new_id()
        body = self._sealed(outgoing, working.row.request_id, message_id)
        if isinstance(body, Event) and (left := taken_off(working.row.sent, body)) is not None:
            working.row = replace(working.row, sent=left)
            return f"{body.declared.ce_type}:said-before"
        if carries_head(type(body)):
            body = body.model_copy(update={"audit_head": working.head.hash})
        envelope = self._envelope(working, outgoing, message_id, cause)
        headers = envelopes.write(envelope, causation_id=str(cause.id))
        value = body.model_dump_json().encode()
        self.writes.outbox.append(
            OutboxRow(
                topic=outgoing.topic,
                key=headers["ce_subject"],
                headers=headers,
                value=value,
                opened_month=working.row.opened_month,
                request_id=working.row.request_id,
                sequence=envelope.sequence,
            )
        )
        return f"{body.declared.ce_type}:{hashlib.sha256(value).hexdigest()}"

    def _envelope(
        self, working: Working[C], outgoing: Outgoing, message_id: UUID, cause: Message
    ) -> Envelope:
        return Envelope(
            id=message_id,
            source=f"habeas/{self.domain.name}",
            ce_type=outgoing.body.declared.ce_type,
            subject=working.row.request_id,
            time=self.now,
            sequence=self._next_sequence(working, outgoing),
            business=working.row.business or working.business or cause.business,
            correlation_id=str(working.row.request_id),
            traceparent=cause.traceparent,
            signature=None,
        )

    def _sealed(self, outgoing: Outgoing, request_id: UUID, message_id: UUID) -> Body:
        if not outgoing.seal:
            return outgoing.body
        sealed = {
            name: self.sealer.seal(request_id, message_id, name, plaintext)
            for name, plaintext in outgoing.seal.items()
        }
        for name, kept_as in outgoing.keep.items():
            self.writes.kept.append((request_id, Kept(kept_as, message_id, name, sealed[name])))
        return outgoing.body.model_copy(update=sealed)

    def _next_sequence(self, working: Working[C], outgoing: Outgoing) -> int | None:
        if not isinstance(outgoing.body, Event):
            return None
        topic = outgoing.topic
        sequence = working.row.sent[topic] = working.row.sent.get(topic, 0) + 1
        return sequence

    def _audit(self, working: Working[C], message: Message, decision: Decision[C], sent: list[str]) -> None:
        facts: dict[str, audit.Fact] = {
            "message_id": str(message.id),
            "source": message.source,
            "digest": message.digest,
            "sent": " ".join(sent),
        }
        if decision.refusal is not None:
            facts["refusal"] = decision.refusal
        entry = audit.AuditEntry(working.row.request_id, self.now, message.ce_type, facts)
        row = audit.append(working.head, entry)
        self.writes.audit.append(row)
        working.head = row.head

    def _advance(self, working: Working[C], message: Message) -> None:
        """Move the gate; a record that came out of the parked ones leaves them."""
        if message.kind == "event" and message.sequence is not None:
            working.row.applied[message.topic] = message.sequence
        self.unpark(message)

    def unpark(self, message: Message) -> None:
        """Forget a parked record that was applied, or turned out to be a duplicate."""
        if message.parked:
            self.writes.unparked.append(parked_key(message))


@cache
def carries_head(kind: type[Body]) -> bool:
    """Whether a body states the end of its emitter's audit chain."""
    return "audit_head" in kind.model_fields


def parked_key(message: Message) -> ParkedKey:
    """Under what a message's record is parked."""
    return ParkedKey(message.request_id, message.topic, message.source, message.id)
