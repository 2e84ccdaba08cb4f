"""The domain itself: take a fact in, then settle everything that follows from what is known by now."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.deadline.domain import addenda, automatic, cadence, clocks, closing, extension, hearing, keys
from services.deadline.domain.case import DESTROY_KEY, DeadlineCase, Draft
from services.deadline.domain.work import Pace
from shared.events.commands import (
    DestroyRequestKey,
    ExtendDeadline,
    HoldRequestKey,
    ReleaseRequestKey,
)
from shared.events.message import Body
from shared.events.recurring import RecordAccess
from shared.machine.decision import Context, Decision, Go, Message, Stop, Wait

ASKED: Final[Mapping[type[Body], Callable[[DeadlineCase, Any, datetime], Draft]]] = {
    ExtendDeadline: extension.ask,
    DestroyRequestKey: keys.order,
    HoldRequestKey: keys.hold,
    ReleaseRequestKey: keys.release,
    RecordAccess: cadence.record,
}


class DeadlineDomain:
    """Pure rules over dates; what depends on time alone is found again by `wake`.

    Keys are destroyed when they are due; or, where that is the setting, when somebody who read the plan says so.
    """

    name = "deadline"
    case_type = DeadlineCase

    def __init__(self, *, destroys_by_itself: bool = True) -> None:
        self._by_itself = destroys_by_itself

    def open(self, request_id: UUID) -> DeadlineCase:
        """A case that has heard nothing."""
        return DeadlineCase()

    def decide(self, case: DeadlineCase, message: Message, context: Context) -> Decision[DeadlineCase]:
        """Take the message in, and say what it leads to."""
        if keys.is_standing(message):
            # A hold that stands by itself is no request: nothing is due, and nothing waits for its end.
            return Decision(case, closes=True)
        ask = ASKED.get(type(message.body))
        draft = ask(case, message.body, context.now) if ask else Draft(hearing.hear(case, message))
        if draft.refusal is not None:
            wake_at = _wake_at(case, clocks.schedule_of(case), context.now)
            return Decision(case, wake_at=wake_at, refusal=draft.refusal)
        draft = keys.settle_destroyed(case, draft, context.now)
        # What waited for a hold, or is ordered while it waits for the vault, is looked at now.
        goes_on = case.key == "destroying" and (ask is keys.order or case.is_held)
        return self._settled(draft, context, hurry=(DESTROY_KEY,) if goes_on else ())

    def wake(self, case: DeadlineCase, context: Context) -> Decision[DeadlineCase]:
        """Say what time alone brought."""
        return self._settled(Draft(case), context)

    def permit(self, case: DeadlineCase, key: str, purpose: str, context: Context) -> Go | Stop | Wait:
        """Only a closed case is certified, and its key is destroyed no sooner than it may be."""
        if case.closing is None:
            return Stop("not_closed")
        return keys.permit(case, case.closing, context.now) if key == DESTROY_KEY else Go()

    def _settled(self, draft: Draft, context: Context, hurry: tuple[str, ...] = ()) -> Decision[DeadlineCase]:
        pace: Pace = context.facts if context.facts is not None else {}
        draft = extension.settle_extension(draft)
        draft = automatic.settle_automatic(draft, pace, context.now)
        # What follows moves none of the dates, so they are looked up once.
        schedule = clocks.schedule_of(draft.case)
        draft = clocks.settle_clocks(draft, schedule, pace, context.now)
        draft = cadence.settle_cadence(draft, context.now)
        draft = closing.settle_closing(draft, context)
        draft = addenda.settle_addenda(draft)
        draft = keys.settle_key(draft, context.now, by_itself=self._by_itself)
        return Decision(
            draft.case,
            events=draft.events,
            commands=draft.commands,
            tasks=draft.tasks,
            hurry=hurry,
            wake_at=_wake_at(draft.case, schedule, context.now),
            # What recurs is no request: it is counted among none that are open, and keeps no month of the outbox.
            closes=draft.closes or draft.case.access is not None,
        )


def _wake_at(case: DeadlineCase, schedule: clocks.Schedule, now: datetime) -> datetime | None:
    """The next instant at which something may be due: always later than now, or it would turn in circles."""
    times = clocks.next_times(case, schedule, now)
    for part in (automatic, cadence, closing, keys):
        times.extend(part.next_times(case, now))
    return min(times, default=None)
