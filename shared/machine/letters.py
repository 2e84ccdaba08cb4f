"""Dead letters: made of what can never be read, and of what could not be handled.

What was handled badly also stays parked, in its place in the order, and blocks its case: once a person has unblocked
the case it is tried again before anything that came after it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid5

from shared import audit
from shared.events.envelope import Raw, Unreadable
from shared.machine.batch import parked_key
from shared.machine.decision import Message
from shared.machine.gate import classify
from shared.machine.own_records import dead_record, local_raw
from shared.machine.parts import DeadLetterSealer, Result
from shared.machine.ports import CaseRow, DeadLetter, Parked, Transaction, Writes

LETTERS = UUID("2f6a2d5e-52c5-5b5c-9f0a-7d9d8a3f1c42")


class Letters:
    """Makes one service's dead letters; the same record and reason give the same letter."""

    def __init__(self, service: str, sealer: DeadLetterSealer) -> None:
        self._service = service
        self._sealer = sealer

    async def unreadable(self, item: Unreadable, now: datetime) -> DeadLetter:
        """The letter of a record that cannot be read."""
        return await self._letter(item.raw, item.reason, now, item)

    async def unhandled(self, item: Message | Unreadable, error: Exception, now: datetime) -> DeadLetter:
        """The letter of what the service choked on."""
        return await self._letter(item.raw or local_raw(item), f"unhandled:{type(error).__name__}", now, item)

    async def put_new(self, transaction: Transaction, writes: Writes, letters: Sequence[DeadLetter]) -> None:
        """Write and send the letters that are not there yet: a record that is read again is no second letter."""
        if not letters:
            return
        new = {letter.id: letter for letter in letters}
        known = await transaction.known_letters(list(new))
        for letter in new.values():
            if letter.id not in known:
                self._put(writes, letter)

    def _put(self, writes: Writes, letter: DeadLetter) -> None:
        writes.dead.append(letter)
        writes.outbox.append(dead_record(self._service, letter))

    async def bury(self, transaction: Transaction, item: Message | Unreadable, letter: DeadLetter) -> Result:
        """Set aside what could not be handled, and block its case."""
        writes = Writes()
        result = Result(item, "dead")
        if isinstance(item, Message):
            result = await self._blocked(transaction, writes, item, letter)
        if result.status == "dead":
            self._put(writes, letter)
        await transaction.write(writes)
        return result

    async def _blocked(
        self, transaction: Transaction, writes: Writes, message: Message, letter: DeadLetter
    ) -> Result:
        """Somebody else may have handled it since we failed, so the gate is asked again."""
        month = letter.at.date().replace(day=1)
        row = (await transaction.lock([message.request_id], month))[message.request_id]
        commands = [(message.request_id, message.source, message.id)] if message.kind == "command" else []
        seen = {(source, number) for _, source, number in await transaction.seen_commands(commands)}
        verdict = classify(row, message, seen)
        if message.raw is not None and not message.parked and verdict != "duplicate":
            writes.parked.append(Parked(parked_key(message), message.sequence, message.raw))
        if message.parked and verdict == "duplicate":
            writes.unparked.append(parked_key(message))
        if verdict != "apply":
            return Result(message, "duplicate" if verdict == "duplicate" else "parked")
        _block(writes, row, message, letter)
        return Result(message, "dead")

    async def _letter(self, raw: Raw, reason: str, now: datetime, item: Message | Unreadable) -> DeadLetter:
        letter_id = _letter_id(raw, reason)
        return DeadLetter(
            id=letter_id,
            at=now,
            raw=raw,
            reason=reason,
            sealed=await self._sealer.seal(raw.to_bytes(), letter_id=letter_id, now=now),
            request_id=item.request_id,
            field=item.field if isinstance(item, Unreadable) else None,
        )


def _block(writes: Writes, row: CaseRow, message: Message, letter: DeadLetter) -> None:
    """The case stays byte for byte what it was: it may be the case itself that cannot be read."""
    facts: dict[str, audit.Fact] = {
        "message_id": str(message.id),
        "source": message.source,
        "digest": message.digest,
        "letter": str(letter.id),
        "reason": letter.reason,
    }
    entry = audit.append(row.head, audit.AuditEntry(row.request_id, letter.at, "case.blocked", facts))
    writes.audit.append(entry)
    writes.cases.append(replace(row.with_head(entry), blocked=True))


def _letter_id(raw: Raw, reason: str) -> UUID:
    content = hashlib.sha256((raw.key or b"") + b"\0" + raw.value).hexdigest()
    return uuid5(LETTERS, f"{raw.topic}/{raw.partition}/{raw.offset}/{content}/{reason}")
