"""The domain itself: which rule hears which message, and whether a task may go on."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.fulfillment.domain import (
    acknowledgements,
    aftercare,
    commands,
    finishing,
    holds,
    planning,
    progress,
    reviewing,
    vendors,
)
from services.fulfillment.domain.advancing import advance
from services.fulfillment.domain.aftercare import Aftercare
from services.fulfillment.domain.case import FulfillmentCase, Verified
from services.fulfillment.domain.catalogue import Catalogue
from services.fulfillment.domain.reviewing import AnsweredBefore
from shared.events.commands import (
    CompleteTask,
    DecideReview,
    DenyRequest,
    LiftSuppression,
    PlaceHold,
    PlaceStandingHold,
    RecordReplay,
    ReleaseHold,
    ReleaseStandingHold,
    RetryTask,
)
from shared.events.deadline import DeadlineExtended, RequestClosed
from shared.events.intake import RequestReceived, RequestWithdrawn
from shared.events.message import Body
from shared.events.vendors import DirectiveCompleted, DirectiveReceived, DirectiveRefused
from shared.events.verification import VerificationConcluded
from shared.machine.decision import Context, Decision, Go, Kept, Message, Stop, TaskFinished, Wait

Rule = Callable[[FulfillmentCase, Any, Message, Context], Decision[FulfillmentCase]]
HOLD_LOOKED_AT = timedelta(hours=1)


class FulfillmentDomain:
    """One task per system and right, and one RequestFulfilled when none of them is open."""

    name = "fulfillment"
    case_type = FulfillmentCase

    def __init__(self, catalogue: Catalogue, care: Aftercare | None = None) -> None:
        """`care` says what is done after the end; without it nothing is."""
        self._catalogue = catalogue
        self._care = care

    def open(self, request_id: UUID) -> FulfillmentCase:
        """Nothing is known yet; the id lives in the row."""
        del request_id
        return FulfillmentCase()

    def decide(self, case: FulfillmentCase, message: Message, context: Context) -> Decision[FulfillmentCase]:
        """Take over a fact or a command, then move on if nothing is open."""
        decided = self._decided(case, message, context)
        wake_at = decided.case.tell_at
        return decided if decided.wake_at == wake_at else replace(decided, wake_at=wake_at)

    def _decided(
        self, case: FulfillmentCase, message: Message, context: Context
    ) -> Decision[FulfillmentCase]:
        if (
            self._care is not None
            and isinstance(message.body, TaskFinished)
            and message.body.key in case.later
        ):
            return aftercare.finished(case, message.body, self._care, context)
        if isinstance(message.body, PlaceStandingHold):
            return holds.place(case, message.body, message, self._catalogue)
        rule = _RULES.get(type(message.body))
        if rule is None:
            return Decision(case)
        heard = rule(case, message.body, message, context)
        if heard.refusal is not None:
            return heard
        advanced, events, tasks = advance(heard.case, self._catalogue, context, self._care)
        advanced, told = progress.tell(advanced, context.now)
        return replace(
            heard,
            case=advanced,
            events=(*heard.events, *told, *events),
            tasks=(*heard.tasks, *tasks),
            wake_at=advanced.tell_at,
        )

    def wake(self, case: FulfillmentCase, context: Context) -> Decision[FulfillmentCase]:
        """Fulfillment waits for facts and tasks; what it has to say in the meantime has its time."""
        case, told = progress.tell(case, context.now)
        return Decision(case, events=told, wake_at=case.tell_at)

    def permit(self, case: FulfillmentCase, key: str, purpose: str, context: Context) -> Go | Stop | Wait:
        """Ask again, under the lock, what may have changed since the task was planned.

        Looking for identifiers and composing an answer need no verification of their own, since neither
        destroys nor tells anything; they stop with the request.
        """
        covered = holds.cover(context.facts, case, key, self._catalogue)
        if key in case.later:
            return aftercare.permit(case, key, context, covered=covered)
        over = _over(case, key)
        if over is not None:
            return over
        if purpose != "act":
            return Go()
        if case.verified is None or not case.verified.allows:
            return Stop("not_verified")
        return _permit_act(case, key, context, covered=covered)


def _over(case: FulfillmentCase, key: str) -> Stop | None:
    """Why nothing is left to do for a task."""
    if case.word_on(key) is not None:
        return Stop("completed", settled=True)
    if reviewing.is_decided(case, key):
        return Stop("decided")
    if case.withdrawn_at is not None or case.closed_at is not None or case.stage == "ended":
        return Stop("closed" if case.withdrawn_at is None else "withdrawn")
    return Stop("denied") if case.denial is not None else None


def _permit_act(case: FulfillmentCase, key: str, context: Context, *, covered: bool) -> Go | Stop | Wait:
    waiting = vendors.still_waits(case, key, context.now)
    if waiting is not None:
        return waiting
    if (case.is_held or covered) and planning.right_of(key) in planning.DESTRUCTIVE:
        return Wait(context.now + HOLD_LOOKED_AT, "hold")
    return Go()


def _received(
    case: FulfillmentCase, body: RequestReceived, message: Message, _: Context
) -> Decision[FulfillmentCase]:
    due = body.clocks.due(extended=False)
    update = {
        "business": body.business,
        "regime": body.regime,
        "asked": body.right,
        "received_at": body.received_at,
        "linked": body.linked,
        "due_at": due.late_from if due else None,
    }
    kept = Kept("claims", message.id, "claims", body.claims)
    return Decision(case.model_copy(update=update), keep=(kept,))


def _withdrawn(
    case: FulfillmentCase, body: RequestWithdrawn, _: Message, __: Context
) -> Decision[FulfillmentCase]:
    """What is queued is stopped when it is claimed, what may have called out is settled, both of them now."""
    return Decision(case.model_copy(update={"withdrawn_at": body.withdrawn_at}), hurry=case.open)


def _verified(
    case: FulfillmentCase, body: VerificationConcluded, _: Message, context: Context
) -> Decision[FulfillmentCase]:
    """Take it over, with what the transaction found of the same verified subject.

    That is another open request for the same, and the answered ones that a law which limits them may count.
    """
    if case.verified is not None:
        return Decision(case)
    verified = Verified(conclusion=body.conclusion, right=body.right, concluded_at=body.concluded_at)
    found = context.facts if isinstance(context.facts, AnsweredBefore) else AnsweredBefore((), context.facts)
    first = found.first if isinstance(found.first, UUID) and verified.is_proved else None
    update = {"verified": verified, "duplicate_of": first, "answered_before": found.received}
    return Decision(case.model_copy(update=update))


def _extended(
    case: FulfillmentCase, body: DeadlineExtended, _: Message, __: Context
) -> Decision[FulfillmentCase]:
    """Tasks that are planned keep their urgency; those still to come go by the new date."""
    return Decision(case.model_copy(update={"extended_to": body.respond_by.late_from}))


def _closed(
    case: FulfillmentCase, body: RequestClosed, _: Message, context: Context
) -> Decision[FulfillmentCase]:
    """It says from when the person may be asked to opt in again, which who is suppressed is told with."""
    closed = case.model_copy(update={"closed_at": body.closed_at})
    return Decision(closed, events=aftercare.records(context), closes=True)


def _finished(
    case: FulfillmentCase, body: TaskFinished, _: Message, context: Context
) -> Decision[FulfillmentCase]:
    if body.key not in case.open:
        return Decision(case)
    if body.status == "needs_person":
        return finishing.needs_person(case, body)
    return finishing.settle(case, body, context.now)


def _commanded(rule: Callable[[FulfillmentCase, Any], Decision[FulfillmentCase]]) -> Rule:
    return lambda case, body, _message, _context: rule(case, body)


_RULES: Mapping[type[Body], Rule] = {
    RequestReceived: _received,
    RequestWithdrawn: _withdrawn,
    VerificationConcluded: _verified,
    DeadlineExtended: _extended,
    RequestClosed: _closed,
    TaskFinished: _finished,
    DirectiveReceived: acknowledgements.received,
    DirectiveCompleted: acknowledgements.completed,
    DirectiveRefused: acknowledgements.refused,
    DecideReview: _commanded(commands.decide_review),
    DenyRequest: _commanded(commands.deny_request),
    RetryTask: _commanded(commands.retry_task),
    CompleteTask: lambda case, body, message, _: commands.complete_task(case, body, message.digest),
    LiftSuppression: _commanded(aftercare.lifted_by_person),
    RecordReplay: lambda case, body, _, context: aftercare.replayed(case, body, context),
    PlaceHold: _commanded(commands.place_hold),
    ReleaseHold: _commanded(commands.release_hold),
    ReleaseStandingHold: lambda case, body, message, _: holds.release(case, body, message),
}
