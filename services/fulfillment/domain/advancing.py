"""The one place that moves a case on: whenever nothing is open, what comes next."""

from datetime import datetime

from services.fulfillment.domain import aftercare, ending, planning, reviewing
from services.fulfillment.domain.aftercare import Aftercare
from services.fulfillment.domain.case import FulfillmentCase, Stage, Verified
from services.fulfillment.domain.catalogue import Catalogue
from services.fulfillment.domain.planning import Step
from shared.events.fulfillment import Resolution
from shared.machine.decision import Context, TaskPlan
from shared.policy.rights import Right


def advance(
    case: FulfillmentCase, catalogue: Catalogue, context: Context, care: Aftercare | None = None
) -> Step:
    """Plan the next tasks or end the request, if it is known, not ended, and none of its tasks is open."""
    if case.received_at is None or case.stage == "ended" or case.open:
        return case, (), ()
    before, step = case.stage, _step(case, catalogue, context)
    return step if care is None else _with_what_comes_after(before, step, catalogue, context, care)


def _step(case: FulfillmentCase, catalogue: Catalogue, context: Context) -> Step:
    if case.withdrawn_at is not None:
        return _end(case, ("withdrawn", None), catalogue, context)
    if case.denial is not None:
        return _end(case, ("denied", case.denial), catalogue, context)
    if case.verified is None:
        return case, (), ()
    return _next(case, case.verified, catalogue, context)


def _with_what_comes_after(
    before: Stage, step: Step, catalogue: Catalogue, context: Context, care: Aftercare
) -> Step:
    """An opt-out is told to whoever asks as soon as it is acted on, a deletion when it is done."""
    case, events, plans = step
    more: tuple[TaskPlan, ...] = ()
    if case.stage == "ended":
        case, more = aftercare.after_the_end(case, catalogue, care, context.now)
    elif case.stage == "acting" and before != "acting" and case.right in aftercare.AT_ONCE:
        case, more = aftercare.suppress(case, case.right, context.now)
    return case, events, (*plans, *more)


def _next(case: FulfillmentCase, verified: Verified, catalogue: Catalogue, context: Context) -> Step:
    if not verified.allows:
        return _end(case, ("denied", ending.IDENTITY_NOT_VERIFIED), catalogue, context)
    if case.stage == "joining":
        return _end(case, ("duplicate", None), catalogue, context)
    if case.stage == "reviewing" and not reviewing.is_granted(case):
        return _end(case, ("denied", reviewing.reason_of(case)), catalogue, context)
    right = case.right or verified.right
    now = context.now
    first = _before_acting(case, catalogue, right, now) if case.stage in {"waiting", "reviewing"} else None
    if first is not None:
        return first
    if case.stage in {"waiting", "reviewing", "matching"}:
        case, events, plans = planning.plan_acts(case, catalogue, right, now)
        if plans:
            return case, events, plans
    return _answer(case, right, catalogue, context)


def _before_acting(case: FulfillmentCase, catalogue: Catalogue, right: Right, now: datetime) -> Step | None:
    """What comes before any system is asked to do something; a person's decision is asked for once."""
    if case.stage == "waiting" and case.duplicate_of is not None:
        return planning.plan_join(case)
    review = reviewing.needed(case, right) if case.stage == "waiting" else None
    return planning.plan_review(case, review) if review else planning.plan_match(case, catalogue, right, now)


def _answer(case: FulfillmentCase, right: Right, catalogue: Catalogue, context: Context) -> Step:
    if case.stage == "acting":
        more = planning.plan_more(case, catalogue, right, context.now)
        if more is not None:
            return more
        if case.parts:
            return planning.plan_package(case, right)
    return _end(case, ending.resolution_of(case), catalogue, context)


def _end(
    case: FulfillmentCase,
    how: tuple[Resolution, str | None],
    catalogue: Catalogue,
    context: Context,
) -> Step:
    titled = tuple(one.model_copy(update=catalogue.titled(one.system)) for one in case.outcomes)
    ended, fulfilled = ending.end(case, how, titled, context.now)
    return ended, (fulfilled,), ()
