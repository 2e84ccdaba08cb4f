"""When a closed request's key is destroyed: not before nothing needs it, never under a hold, and never twice.

What was sealed under it is forgotten with it: on topics, in tables, in copies (docs/keys.md). Holds come from
fulfillment, for requests that still ran, and from people, for those that are over; facts merge in any order.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.deadline.domain.case import DESTROY_KEY, Closing, DeadlineCase, Draft
from shared.events.commands import DestroyRequestKey, HoldRequestKey, ReleaseRequestKey
from shared.events.deadline import RequestKeyDestroyed
from shared.events.fulfillment import HoldPlaced, HoldReleased
from shared.machine.decision import Go, Message, Outgoing, Stop, TaskPlan, Wait

NOT_CLOSED: Final = "not_closed"
DESTROYED: Final = "already_destroyed"
BEING_DESTROYED: Final = "being_destroyed"
ON_HOLD: Final = "on_hold"
STILL_NEEDED: Final = "key_still_needed"
UNKNOWN_HOLD: Final = "unknown_hold"
# A release hurries what waits; this is for what nobody thought of.
LOOKED_AT_AGAIN: Final = timedelta(days=30)


def order(case: DeadlineCase, body: DestroyRequestKey, now: datetime) -> Draft:
    """Destroy the key now, as a plan says that somebody read; or say why not."""
    if case.closing is None:
        return Draft(case, refusal=NOT_CLOSED)
    refusal = _why_not(case, case.closing, now)
    return Draft(case, refusal=refusal) if refusal else Draft(case.model_copy(update={"plan": body.plan}))


def hold(case: DeadlineCase, body: HoldRequestKey, now: datetime) -> Draft:  # noqa: ARG001 - as the table has it
    """Keep the key from now on; refused where it is gone, or may be going at this moment."""
    if case.key == "destroyed":
        return Draft(case, refusal=DESTROYED)
    if case.key == "destroying" and not case.is_held:
        return Draft(case, refusal=BEING_DESTROYED)
    return Draft(_with_hold(case, body.hold_id))


def release(case: DeadlineCase, body: ReleaseRequestKey, now: datetime) -> Draft:  # noqa: ARG001 - as the table has it
    """Let go; a hold that fulfillment placed may be released here once the request is over."""
    if body.hold_id not in case.holds:
        return Draft(case, refusal=UNKNOWN_HOLD)
    return Draft(_without_hold(case, body.hold_id))


def is_standing(message: Message) -> bool:
    """Whether it tells of a hold that is on no request, but on a person, a system or a category."""
    body = message.body
    return isinstance(body, HoldPlaced | HoldReleased) and body.hold_id == message.request_id


def held(case: DeadlineCase, message: Message) -> DeadlineCase:
    """Fulfillment was told to keep this request's data."""
    assert isinstance(message.body, HoldPlaced)  # noqa: S101 - narrows
    return _with_hold(case, message.body.hold_id)


def let_go(case: DeadlineCase, message: Message) -> DeadlineCase:
    """Fulfillment was told that the duty to keep is over."""
    assert isinstance(message.body, HoldReleased)  # noqa: S101 - narrows
    return _without_hold(case, message.body.hold_id)


def settle_key(draft: Draft, now: datetime, *, by_itself: bool) -> Draft:
    """Have the key destroyed when it is due and may be; without an order only where that is the setting."""
    case = draft.case
    if case.closing is None or case.key != "kept" or _why_not(case, case.closing, now):
        return draft
    if not by_itself and case.plan is None:
        return draft
    plan = TaskPlan(key=DESTROY_KEY, handler=DESTROY_KEY, purpose="document", urgency=case.closing.key_until)
    planned = case.model_copy(update={"key": "destroying", "open_tasks": (*case.open_tasks, DESTROY_KEY)})
    return Draft(planned, draft.events, draft.commands, (*draft.tasks, plan), draft.closes)


def settle_destroyed(before: DeadlineCase, draft: Draft, now: datetime) -> Draft:
    """State the destruction, once."""
    case = draft.case
    gone = case.key == "destroyed" and before.key != "destroyed"
    if not gone or case.received is None or case.closing is None or case.ending is None:
        return draft
    fact = RequestKeyDestroyed(
        business=case.received.business,
        regime=case.received.regime,
        right=case.received.clocks.right,
        resolution=case.ending.resolution,
        closed_at=case.closing.closed_at,
        due_at=case.closing.key_until,
        destroyed_at=now,
        plan=case.plan,
    )
    return draft.then(case, Outgoing(fact))


def permit(case: DeadlineCase, closing: Closing, now: datetime) -> Go | Stop | Wait:
    """Asked again under the case's lock right before the key is destroyed."""
    if case.is_held:
        return Wait(now + LOOKED_AT_AGAIN, ON_HOLD)
    return Wait(closing.key_until, STILL_NEEDED) if now < closing.key_until else Go()


def next_times(case: DeadlineCase, now: datetime) -> Iterable[datetime]:
    """When the key is to be looked at again; a hold ends with a fact, and not with time."""
    if case.closing is None or case.key != "kept" or case.is_held:
        return ()
    return (case.closing.key_until,) if case.closing.key_until > now else ()


def _why_not(case: DeadlineCase, closing: Closing, now: datetime) -> str | None:
    if case.key == "destroyed":
        return DESTROYED
    if case.is_held:
        return ON_HOLD
    return STILL_NEEDED if now < closing.key_until else None


def _with_hold(case: DeadlineCase, hold_id: UUID) -> DeadlineCase:
    return case.model_copy(update={"holds": _and(case.holds, hold_id)})


def _without_hold(case: DeadlineCase, hold_id: UUID) -> DeadlineCase:
    return case.model_copy(
        update={"holds": _and(case.holds, hold_id), "released": _and(case.released, hold_id)}
    )


def _and(ids: tuple[UUID, ...], one: UUID) -> tuple[UUID, ...]:
    return tuple(sorted({*ids, one}))
