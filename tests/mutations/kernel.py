"""Bugs of the kernel: gate, outbox, relay, tasks, timers, audit."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import Any
from unittest import mock

from shared import audit
from shared.machine import run as running
from shared.machine import shell
from shared.machine.batch import Batch
from shared.machine.case_texts import CaseTexts
from shared.machine.run import Run
from shared.machine.shell import Shell
from shared.messaging import Intake
from shared.outbox.producer import SENT, Sending, Verdict
from shared.outbox.relay import BATCH, Relay, _sending
from shared.tasks.runner import _Call
from tests.mutations.seeding import (
    HOLDS,
    LOST_ANSWERS,
    MANY_STEPS,
    MOVED_KEYS,
    OLD_SYSTEM,
    TWO_RELAYS,
    UNSENDABLE,
    Mutation,
    always,
    replaced,
)
from tests.simulation.scheduler import Scheduler
from tests.support.memory_outbox import MemoryOutbox


def _sends_marked(_: Any) -> Any:
    async def turn(self: Any) -> bool:
        await self._lease()
        rows = (await self._scan()).heads
        await self._mark(rows)
        await self._producer.send([_sending(row) for row in rows])
        return bool(rows)

    return turn


def _marks_whatever_the_broker_said(original: Any) -> Any:
    async def turn(self: Any) -> bool:
        async def sent(records: Sequence[Sending]) -> list[Verdict]:
            await producer.send(records)
            return [SENT] * len(records)

        producer = self._producer
        self._producer = mock.Mock(send=sent)
        try:
            found: bool = await original(self)
        finally:
            self._producer = producer
        return found

    return turn


def _publishes_from_the_handler(scheduler: Scheduler) -> AbstractContextManager[Any]:
    original = Batch.finish

    def finish(self: Any, working: Any) -> Any:
        writes = original(self, working)
        for row in writes.outbox:
            headers = json.dumps(row.headers)
            scheduler.world.publish(Sending(row.topic, row.key, headers, row.value))
        return writes

    return mock.patch.object(Batch, "finish", finish)


def _known_by_number_alone(original: Any) -> Any:
    def seen_by(self: Any, message: Any) -> Any:
        numbers = {number for request_id, _, number in self.seen if request_id == message.request_id}
        return {(message.source, message.id)} if message.id in numbers else original(self, message)

    return seen_by


def _answers_duplicates_again(original: Any) -> Any:
    def take(self: Any, message: Any) -> Any:
        result = original(self, message)
        if result.status == "duplicate" and message.kind == "command":
            self.batch._answer(self.working[message.request_id], message, None, [])  # noqa: SLF001 - the bug
            self.batch.writes.commands.pop()
            self.working[message.request_id].touched = True
        return result

    return take


def _skips_a_number(original: Any) -> Any:
    def next_sequence(self: Any, working: Any, body: Any) -> Any:
        original(self, working, body)
        return original(self, working, body)

    return next_sequence


def _forgets_to_wake(original: Any) -> Any:
    def follow(self: Any, working: Any, decision: Any, message: Any, sent: Any) -> None:
        original(self, working, replace(decision, wake_at=None), message, sent)

    return follow


def _starts_the_chain_anew(original: Any) -> Any:
    def append(_head: Any, entry: Any) -> Any:
        return original(audit.GENESIS, entry)

    return append


def _finds_a_case_by_its_request_alone(original: Any) -> Any:
    def read(self: Any, request_id: Any, text: str) -> Any:
        known = self._known.get(request_id)
        return original(self, request_id, text) if known is None else known[1]

    return read


async def _nothing_drained(_self: Any, limit: int = 200) -> int:
    del limit
    return 0


def _swallows_errors(original: Any) -> Any:
    async def take(self: Any, records: Any) -> None:
        with suppress(Exception):
            await original(self, records)

    return take


def _promises_to_call(_: Any) -> Any:
    async def call(self: Any, **_bound: Any) -> bool:
        self.made = True
        return True

    return call


def _forgets_the_call(original: Any) -> Any:
    async def call(self: Any, **bound: Any) -> Any:
        allowed = await original(self, **bound)
        self.made = False
        return allowed

    return call


def _batch_waits_for_its_worst(original: Any) -> Any:
    async def turn(self: Any) -> bool:
        async def sent(records: Sequence[Sending]) -> list[Verdict]:
            verdicts: list[Verdict] = await producer.send(records)
            refused = any(verdict.kind == "never" for verdict in verdicts)
            return [Verdict("later", "Batch")] * len(verdicts) if refused else verdicts

        producer = self._producer
        self._producer = mock.Mock(send=sent)
        try:
            found: bool = await original(self)
        finally:
            self._producer = producer
        return found

    return turn


def _never_looks_back(_: Any) -> Any:
    async def scan(self: Any) -> Any:
        return await self._outbox.heads(self._position, list(self._epochs), BATCH)

    return scan


async def _nothing_blocked(_self: Any, _row: Any, _reason: str) -> None:
    """What can never be sent is tried for ever."""


def _same_epoch_for_the_next(original: Any) -> Any:
    async def lease(self: Any, owner: str, *, seconds: int) -> dict[int, int]:
        found = await original(self, owner, seconds=seconds)
        for shard in found:
            self.shards[shard].epoch = 1
        return dict.fromkeys(found, 1)

    return lease


KERNEL = (
    Mutation("the gate is ignored", replaced(running, "classify", always(lambda *_: "apply"))),
    Mutation(
        "an early event is dropped, not parked",
        replaced(Batch, "park", always(lambda *_: None)),
        plan=MOVED_KEYS,
    ),
    Mutation(
        "parked records are never drained",
        replaced(Shell, "drain_parked", always(_nothing_drained)),
        plan=MOVED_KEYS,
    ),
    Mutation(
        "two command sources share their numbers",
        replaced(Run, "_seen_by", _known_by_number_alone),
        plan=HOLDS,
    ),
    Mutation("a duplicate command is answered again", replaced(Run, "take", _answers_duplicates_again)),
    Mutation("a sequence is skipped", replaced(Batch, "_next_sequence", _skips_a_number)),
    Mutation("wake_at is forgotten", replaced(Batch, "_follow", _forgets_to_wake)),
    Mutation("the audit chain begins anew", replaced(audit, "append", _starts_the_chain_anew)),
    Mutation("a handler publishes", _publishes_from_the_handler),
    Mutation(
        "a case is found by its request alone",
        replaced(CaseTexts, "read", _finds_a_case_by_its_request_alone),
    ),
    Mutation(
        "an error of the commit is taken for the message's", replaced(shell, "NOT_THE_MESSAGE", always(()))
    ),
    Mutation("offsets are committed after an error", replaced(Intake, "__call__", _swallows_errors)),
    Mutation(
        "the relay marks before the acknowledgement",
        replaced(Relay, "turn", _sends_marked),
        layers=("simulation", "real fault test"),
    ),
    Mutation(
        "the relay marks what was not acknowledged",
        replaced(Relay, "turn", _marks_whatever_the_broker_said),
        plan=LOST_ANSWERS,
    ),
    Mutation("a call goes out before CALLING is committed", replaced(_Call, "__call__", _promises_to_call)),
    Mutation(
        "a call that was made is forgotten",
        replaced(_Call, "__call__", _forgets_the_call),
        plan=OLD_SYSTEM,
        steps=MANY_STEPS,
    ),
    Mutation("the relay never looks back", replaced(Relay, "_scan", _never_looks_back), plan=TWO_RELAYS),
    Mutation(
        "what can never be sent is not set aside",
        replaced(Relay, "_block", always(_nothing_blocked)),
        plan=UNSENDABLE,
    ),
    Mutation(
        "a record that can never be sent holds up its batch",
        replaced(Relay, "turn", _batch_waits_for_its_worst),
        plan=UNSENDABLE,
    ),
    Mutation(
        "a stale epoch marks", replaced(MemoryOutbox, "_held", always(lambda *_: True)), plan=TWO_RELAYS
    ),
    Mutation(
        "a shard changes hands without a new epoch",
        replaced(MemoryOutbox, "lease", _same_epoch_for_the_next),
        plan=TWO_RELAYS,
    ),
)
