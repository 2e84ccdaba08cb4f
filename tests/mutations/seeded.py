"""Bugs put into production code on purpose, each of which the simulation must find.

None of them edits a file: a mutation replaces a function while one world runs.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from unittest import mock

from services.deadline.domain import extension
from services.deadline.domain.case import DeadlineCase, Draft
from services.fulfillment.acting import ActHandler, _Rows
from services.fulfillment.domain import FulfillmentCase, FulfillmentDomain, finishing, planning
from services.fulfillment.domain.case import Verified
from shared import audit
from shared.events.deadline import DeadlineExtended
from shared.machine import run as running
from shared.machine import shell
from shared.machine.batch import Batch
from shared.machine.decision import Outgoing
from shared.machine.run import Run
from shared.machine.shell import Shell
from shared.messaging import Intake
from shared.outbox.producer import SENT, Sending, Verdict
from shared.outbox.relay import Relay, _sending
from shared.tasks.runner import _Call
from shared.tasks.work import Again
from tests.simulation.plan import Plan
from tests.simulation.scheduler import Scheduler

Apply = Callable[[Scheduler], AbstractContextManager[Any]]
STEPS = 600
DELETIONS = Plan(
    people=3,
    requests=4,
    processes=1,
    legacy=False,
    faults=frozenset(),
    failing=0.1,
    rights=("delete",),
)
LOST_ANSWERS = replace(DELETIONS, faults=frozenset({"points"}))
OLD_SYSTEM = replace(LOST_ANSWERS, legacy=True, failing=0.25)
OLD_SYSTEM_SELDOM = replace(OLD_SYSTEM, failing=0.1)
HOLDS = replace(DELETIONS, faults=frozenset({"hold"}))
WITHDRAWALS = replace(DELETIONS, faults=frozenset({"withdraw"}), rights=("opt_out",))
MOVED_KEYS = replace(DELETIONS, faults=frozenset({"repartition", "stall", "withdraw"}), urgency=5.0)
NEVER_OVER = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Mutation:
    """A bug, and the kind of world in which it shows most often."""

    name: str
    apply: Apply
    plan: Plan | None = None


def replaced(target: Any, name: str, made: Callable[[Any], Any]) -> Apply:
    """Put something made of the original in its place."""
    return lambda _scheduler: mock.patch.object(target, name, made(target.__dict__[name]))


def _always(value: Any) -> Callable[[Any], Any]:
    return lambda _original: value


def _sends_marked(_: Any) -> Any:
    async def turn(self: Any) -> bool:
        await self._lease()
        rows = await self._heads()
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


def _siblings_by_select(scheduler: Scheduler) -> AbstractContextManager[Any]:
    """The end of a task asks the table which others are open, instead of the case: each of two last ones sees one."""
    original = finishing.settle

    def settle(case: FulfillmentCase, body: Any) -> Any:
        tables = scheduler.world.databases["fulfillment"].tables
        request_id = tables.tasks[body.task_id].new.request_id
        others = [task for task in tables.tasks.values() if task.new.request_id == request_id]
        still = {task.new.plan.key for task in others if task.state not in {"done", "canceled"}}
        counted = tuple(sorted((still & {*case.open, *case.systems, *still}) | {body.key}))
        return original(case.model_copy(update={"open": counted}), body)

    return mock.patch.object(finishing, "settle", settle)


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


def _without_cut_off(original: Any) -> Any:
    return lambda *given: {**original(*given), "cut_off": NEVER_OVER.isoformat()}


def _finds_again(_: Any) -> Any:
    async def resume(self: Any, attempt: Any) -> Any:
        return await self._first(attempt)

    return resume


def _acts_without_proof(_: Any) -> Any:
    async def resume(self: Any, attempt: Any) -> Any:
        rows: _Rows = await self._rows(attempt.task)
        return await self._act(attempt, rows, {"idempotency_key": attempt.task.idempotency_key})

    return resume


def _new_key_each_time(original: Any) -> Any:
    async def act(self: Any, attempt: Any, rows: Any, bound: Any) -> Any:
        key = f"{attempt.task.idempotency_key}:{attempt.task.attempts}"
        return await original(self, attempt, rows, {**bound, "idempotency_key": key})

    return act


def _permits(leaving_out: str) -> Callable[[Any], Any]:
    blank = {"withdrawn_at": None} if leaving_out == "withdrawn" else {"placed_holds": ()}

    def make(original: Any) -> Any:
        def permit(self: Any, case: Any, key: str, purpose: str, context: Any) -> Any:
            return original(self, case.model_copy(update=blank), key, purpose, context)

        return permit

    return make


def _loses_the_receipt(original: Any) -> Any:
    def acted(case: Any, body: Any) -> Any:
        outcome = {**body.result.get("outcome", {}), "receipt_digest": None}
        told = {**body.result, "outcome": outcome} if body.status == "done" else body.result
        return original(case, body.model_copy(update={"result": told}))

    return acted


def _extends_at_once(original: Any) -> Any:
    def ask(case: DeadlineCase, command: Any, now: datetime) -> Draft:
        draft: Draft = original(case, command, now)
        if draft.refusal is not None or case.received is None:
            return draft
        due = case.received.clocks.due(extended=True)
        assert due is not None
        fact = DeadlineExtended(
            respond_by=due, reasons=command.reasons, notice_handed_over_at=now, audit_head=""
        )
        return draft.then(draft.case, Outgoing(fact))

    return ask


def _forgets_open_tasks(original: Any) -> Any:
    def with_(case: Any, plans: Any, events: Any = ()) -> Any:
        planned, events, plans = original(case, plans, events)
        return planned.model_copy(update={"open": planned.open[:1]}), events, plans

    return with_


def _puts_back_as_queued(original: Any) -> Any:
    def unproved(self: Any, attempt: Any, rows: Any, reason: str, *, ambiguous: bool) -> Any:
        answer = original(self, attempt, rows, reason, ambiguous=ambiguous)
        return replace(answer, ambiguous=False) if isinstance(answer, Again) else answer

    return unproved


def _answered_when_fulfilled(_: Any) -> Any:
    return property(lambda case: case.received.received_at if case.ending and case.received else None)


SEEDED = (
    Mutation("the gate is ignored", replaced(running, "classify", _always(lambda *_: "apply"))),
    Mutation(
        "an early event is dropped, not parked",
        replaced(Batch, "park", _always(lambda *_: None)),
        plan=MOVED_KEYS,
    ),
    Mutation(
        "parked records are never drained",
        replaced(Shell, "drain_parked", _always(_nothing_drained)),
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
        "an error of the commit is taken for the message's", replaced(shell, "NOT_THE_MESSAGE", _always(()))
    ),
    Mutation("offsets are committed after an error", replaced(Intake, "__call__", _swallows_errors)),
    Mutation("the relay marks before the acknowledgement", replaced(Relay, "turn", _sends_marked)),
    Mutation(
        "the relay marks what was not acknowledged",
        replaced(Relay, "turn", _marks_whatever_the_broker_said),
        plan=LOST_ANSWERS,
    ),
    Mutation("a call goes out before CALLING is committed", replaced(_Call, "__call__", _promises_to_call)),
    Mutation(
        "a call that was made is forgotten",
        replaced(_Call, "__call__", _forgets_the_call),
        plan=OLD_SYSTEM_SELDOM,
    ),
    Mutation("the cut-off is dropped", replaced(planning, "_body", _without_cut_off)),
    Mutation("the frozen ids are dropped", replaced(ActHandler, "_resume", _finds_again), plan=LOST_ANSWERS),
    Mutation(
        "an unsettled call is repeated without proof",
        replaced(ActHandler, "_resume", _acts_without_proof),
        plan=LOST_ANSWERS,
    ),
    Mutation(
        "each attempt has its own idempotency key",
        replaced(ActHandler, "_act", _new_key_each_time),
        plan=LOST_ANSWERS,
    ),
    Mutation(
        "an ambiguous call is put back as never made",
        replaced(ActHandler, "_unproved", _puts_back_as_queued),
        plan=OLD_SYSTEM,
    ),
    Mutation(
        "a hold is not looked at again",
        replaced(FulfillmentDomain, "permit", _permits("hold")),
        plan=HOLDS,
    ),
    Mutation(
        "a withdrawal is not looked at again",
        replaced(FulfillmentDomain, "permit", _permits("withdrawn")),
        plan=WITHDRAWALS,
    ),
    Mutation(
        "whoever failed verification is served",
        replaced(Verified, "allows", _always(property(lambda _: True))),
    ),
    Mutation("sibling tasks are counted by SELECT", _siblings_by_select),
    Mutation("open tasks are forgotten", replaced(planning, "_with", _forgets_open_tasks)),
    Mutation("a receipt is lost", replaced(finishing, "_acted", _loses_the_receipt)),
    Mutation("an extension is published when it is decided", replaced(extension, "ask", _extends_at_once)),
    Mutation(
        "a request is closed before its answer",
        replaced(DeadlineCase, "answered_at", _answered_when_fulfilled),
    ),
)
