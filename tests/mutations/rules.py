"""Bugs of what services decide: deletion, holds, withdrawal, endings, dates."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any
from unittest import mock

from services.deadline.domain import clocks, closing, extension
from services.deadline.domain import rules as deadline
from services.deadline.domain.case import DeadlineCase, Draft
from services.fulfillment.acting import ActHandler, _Rows
from services.fulfillment.domain import FulfillmentCase, FulfillmentDomain, ending, finishing, planning
from services.fulfillment.domain.case import Verified
from shared.events.commands import ExtendDeadline
from shared.events.deadline import DeadlineExtended
from shared.machine.decision import Outgoing
from shared.tasks.work import Again
from tests.mutations.seeding import (
    HOLDS,
    LONG,
    LOST_ANSWERS,
    MANY_STEPS,
    NEVER_OVER,
    OLD_SYSTEM,
    WITHDRAWALS,
    Mutation,
    always,
    in_table,
    replaced,
)
from tests.simulation.scheduler import Scheduler


def _siblings_by_select(scheduler: Scheduler) -> AbstractContextManager[Any]:
    """The end of a task asks the table which others are open, instead of the case: each of two last ones sees one."""
    original = finishing.settle

    def settle(case: FulfillmentCase, body: Any, now: Any) -> Any:
        tables = scheduler.world.databases["fulfillment"].tables
        request_id = tables.tasks[body.task_id].new.request_id
        others = [task for task in tables.tasks.values() if task.new.request_id == request_id]
        still = {task.new.plan.key for task in others if task.state not in {"done", "canceled"}}
        counted = tuple(sorted((still & {*case.open, *case.systems, *still}) | {body.key}))
        return original(case.model_copy(update={"open": counted}), body, now)

    return mock.patch.object(finishing, "settle", settle)


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
    def acted(case: Any, body: Any, now: datetime) -> Any:
        outcome = {**body.result.get("outcome", {}), "receipt_digest": None}
        told = {**body.result, "outcome": outcome} if body.status == "done" else body.result
        return original(case, body.model_copy(update={"result": told}), now)

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


def _extends_to_another_day(original: Any) -> Any:
    def extended(draft: Draft, received: Any, asked: Any, notice: Any) -> Draft:
        found: Draft = original(draft, received, asked, notice)
        *before, last = found.events
        body = last.body.model_copy(update={"respond_by": received.clocks.respond_by})
        return replace(found, events=(*before, replace(last, body=body)))

    return extended


def _counts_as_extended(original: Any) -> Any:
    return lambda received, **_: original(received, extended=True)


def _forgets_the_ending(original: Any) -> Any:
    def end(case: FulfillmentCase, *given: Any) -> Any:
        ended, told = original(case, *given)
        return ended.model_copy(update={"stage": case.stage}), told

    return end


RULES = (
    Mutation(
        "the cut-off is dropped",
        replaced(planning, "body_of", _without_cut_off),
        layers=("simulation", "real fault test"),
    ),
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
        steps=MANY_STEPS,
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
        replaced(Verified, "allows", always(property(lambda _: True))),
    ),
    Mutation("sibling tasks are counted by SELECT", _siblings_by_select),
    Mutation("open tasks are forgotten", replaced(planning, "_with", _forgets_open_tasks)),
    Mutation("a receipt is lost", replaced(finishing, "_acted", _loses_the_receipt)),
    Mutation(
        "an extension is published when it is decided",
        in_table(deadline.ASKED, ExtendDeadline, _extends_at_once),
    ),
    Mutation(
        "an extension moves the date to another day",
        replaced(extension, "_extended", _extends_to_another_day),
    ),
    Mutation(
        "a date counts as moved before its notice", replaced(clocks, "owed", _counts_as_extended), plan=LONG
    ),
    Mutation(
        "every answer counts as in time", replaced(closing, "_in_time", always(lambda *_: True)), plan=LONG
    ),
    Mutation("a request is fulfilled twice", replaced(ending, "end", _forgets_the_ending)),
    Mutation(
        "a request is closed before its answer",
        replaced(DeadlineCase, "answered_at", _answered_when_fulfilled),
    ),
)
