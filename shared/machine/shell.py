"""The one shell around every domain: a batch of messages in, one transaction, commit.

Handlers never publish and never call out: what has to leave is a row that the relay or a leased task takes up after
the commit. A batch that fails for a deterministic reason is run again in halves, down to one message, so that one
bad message costs one dead letter and its neighbours nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Generic

import structlog

from shared.database import MISCONFIGURED, REPEAT_AT_ONCE, TRANSIENT
from shared.events.envelope import Unreadable
from shared.machine.decision import C, Message
from shared.machine.incoming import to_incoming
from shared.machine.letters import Letters
from shared.machine.own_records import wake_message
from shared.machine.parts import (
    Admit,
    Beside,
    DeadLetterSealer,
    Facts,
    Keys,
    Observer,
    Parts,
    Prepare,
    Result,
    Status,
    Wrote,
)
from shared.machine.ports import DeadLetter, Parked, Writes
from shared.machine.run import open_run
from shared.private_files import KeyFileRefused
from shared.vault.errors import KekVersionMissing, KeyNotOpen

__all__ = [
    "Admit",
    "Beside",
    "DeadLetterSealer",
    "Facts",
    "Keys",
    "Observer",
    "Parts",
    "Prepare",
    "Result",
    "Shell",
    "Status",
    "Wrote",
]

log = structlog.get_logger("machine")
AT_ONCE = 3
# Trouble around us: no message is to be judged by it.
NOT_THE_MESSAGE = (*TRANSIENT, *MISCONFIGURED, KeyFileRefused, KekVersionMissing)
MOVED = frozenset({"applied", "refused", "duplicate", "dead"})


class Shell(Generic[C]):
    """Runs a domain over its store."""

    def __init__(self, parts: Parts[C]) -> None:
        self.parts = parts
        self._letters = Letters(parts.domain.name, parts.dead_letters)
        # What another process parked is found by the loop that asks the table now and then.
        self.any_parked = True

    async def handle(self, incoming: Sequence[Message | Unreadable]) -> list[Result]:
        """Apply a batch in one transaction; results are in the order of the batch.

        Raises:
            what NOT_THE_MESSAGE names: nothing is known to have happened, and all of it may be repeated.
        """
        if not incoming:
            return []
        try:
            results, wrote = await self._attempt(incoming)
        except NOT_THE_MESSAGE:
            raise
        except Exception as error:  # the one place: a bug or a refused write must not stop the partition
            log.exception("batch.failed", rows=len(incoming))
            return await self._apart(incoming, error)
        self.any_parked = self.any_parked or wrote.parked > 0
        self.parts.observer.committed(results, wrote)
        return results

    async def drain_parked(self, limit: int = 200) -> int:
        """Apply parked records whose turn has come, until none is left; the number looked at.

        The table is asked each time: who parked a record may have been another process, or a person's replay.
        """
        looked = 0
        while parked := await self.parts.store.ready_parked(limit):
            looked += len(parked)
            if not await self._from_parked(parked):
                break
        self.any_parked = await self.parts.store.oldest_gap_seconds() > 0
        return looked

    async def wake_due(self, limit: int = 200) -> int:
        """Let the domain look at cases whose wake-up time has come; the number woken."""
        now = self.parts.clock.now()
        due = await self.parts.store.due(now, limit)
        results = await self.handle([wake_message(request_id, now) for request_id in due])
        return sum(result.status != "stale" for result in results)

    async def _apart(self, incoming: Sequence[Message | Unreadable], error: Exception) -> list[Result]:
        if len(incoming) == 1:
            return [await self._bury(incoming[0], error)]
        half = len(incoming) // 2
        return [*await self.handle(incoming[:half]), *await self.handle(incoming[half:])]

    async def _attempt(self, incoming: Sequence[Message | Unreadable]) -> tuple[list[Result], Wrote]:
        """Deadlocks repeat at once."""
        for _ in range(AT_ONCE - 1):
            try:
                return await self._with_keys(incoming)
            except REPEAT_AT_ONCE as error:
                log.warning("batch.again", rows=len(incoming), error_type=type(error).__name__)
        return await self._with_keys(incoming)

    async def _with_keys(self, incoming: Sequence[Message | Unreadable]) -> tuple[list[Result], Wrote]:
        """A decision whose keys had left the cache, or were not asked for, is made again with them.

        Whatever else kept the batch waiting does not count: it may be why they left.
        """
        for _ in range(AT_ONCE - 1):
            try:
                return await self._once(incoming)
            except KeyNotOpen:
                ids = {item.request_id for item in incoming if isinstance(item, Message)}
                await self.parts.sealer.prefetch(sorted(ids))
        return await self._once(incoming)

    async def _once(self, incoming: Sequence[Message | Unreadable]) -> tuple[list[Result], Wrote]:
        now = self.parts.clock.now()
        ready = await self._prepared(incoming, now)
        messages = [one for one in ready if isinstance(one, Message)]
        async with self.parts.store.transaction() as transaction:
            run = await open_run(self.parts, transaction, messages, now)
            results = [
                run.take(one) if isinstance(one, Message) else Result(item, "dead")
                for item, one in zip(incoming, ready, strict=True)
            ]
            if self.parts.beside is not None:
                await self.parts.beside(transaction, results)
            writes = run.batch.finish(run.working)
            letters = [one for one in ready if isinstance(one, DeadLetter)]
            await self._letters.put_new(transaction, writes, letters)
            await transaction.write(writes)
        return results, Wrote.of(writes)

    async def _prepared(
        self, incoming: Sequence[Message | Unreadable], now: datetime
    ) -> list[Message | DeadLetter]:
        """Everything that waits for somebody else is done before the transaction."""
        messages = [item for item in incoming if isinstance(item, Message)]
        found = await self.parts.prepare(messages) if messages else []
        facts = iter([_with(message, fact) for message, fact in zip(messages, found, strict=True)])
        return [
            next(facts) if isinstance(item, Message) else await self._letters.unreadable(item, now)
            for item in incoming
        ]

    async def _bury(self, item: Message | Unreadable, error: Exception) -> Result:
        """Make a dead letter of what cannot be handled, and block its case until a person has looked."""
        letter = await self._letters.unhandled(item, error, self.parts.clock.now())
        log.error("message.buried", message_id=str(letter.id), reason=letter.reason)
        async with self.parts.store.transaction() as transaction:
            result = await self._letters.bury(transaction, item, letter)
        self.parts.observer.committed([result], Wrote(records=1, tasks=0, parked=1))
        return result

    async def _from_parked(self, parked: Sequence[Parked]) -> bool:
        """Whether any of these left the table, or its case was blocked: else there is nothing more to do now."""
        items = [(one, to_incoming(one.raw, parked=True)) for one in parked]
        unreadable = [(one, item) for one, item in items if isinstance(item, Unreadable)]
        if unreadable:
            await self._set_aside(unreadable)
        results = await self.handle([item for _, item in items if isinstance(item, Message)])
        return bool(unreadable) or any(result.status in MOVED for result in results)

    async def _set_aside(self, unreadable: Sequence[tuple[Parked, Unreadable]]) -> None:
        """What could be read when it was parked and cannot be any more: an older version runs again."""
        now = self.parts.clock.now()
        letters = [await self._letters.unreadable(item, now) for _, item in unreadable]
        writes = Writes(unparked=[one.key for one, _ in unreadable])
        async with self.parts.store.transaction() as transaction:
            await self._letters.put_new(transaction, writes, letters)
            await transaction.write(writes)
        self.parts.observer.committed([Result(item, "dead") for _, item in unreadable], Wrote.of(writes))


def _with(message: Message, fact: Any) -> Message:
    return message if fact is None else replace(message, facts=fact)
