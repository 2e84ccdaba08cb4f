"""The domain itself: take a fact in, then settle everything that follows from what is known by now."""

from datetime import datetime
from uuid import UUID

from services.deadline.domain import addenda, automatic, clocks, closing, extension, hearing
from services.deadline.domain.case import DESTROY_KEY, DeadlineCase, Draft
from services.deadline.domain.work import Pace
from shared.events.commands import ExtendDeadline
from shared.machine.decision import Context, Decision, Go, Message, Stop, Wait


class DeadlineDomain:
    """Pure rules over dates; what depends on time alone is found again by `wake`."""

    name = "deadline"
    case_type = DeadlineCase

    def open(self, request_id: UUID) -> DeadlineCase:
        """A case that has heard nothing."""
        return DeadlineCase()

    def decide(self, case: DeadlineCase, message: Message, context: Context) -> Decision[DeadlineCase]:
        """Take the message in, and say what it leads to."""
        if isinstance(message.body, ExtendDeadline):
            draft = extension.ask(case, message.body, context.now)
        else:
            draft = Draft(hearing.hear(case, message))
        if draft.refusal is not None:
            return Decision(case, wake_at=_wake_at(case, context.now), refusal=draft.refusal)
        return _settled(draft, context)

    def wake(self, case: DeadlineCase, context: Context) -> Decision[DeadlineCase]:
        """Say what time alone brought."""
        return _settled(Draft(case), context)

    def permit(self, case: DeadlineCase, key: str, purpose: str, context: Context) -> Go | Stop | Wait:
        """Only a closed case is certified, and its key is destroyed no sooner than it may be."""
        if case.closing is None:
            return Stop("not_closed")
        if key == DESTROY_KEY and context.now < case.closing.key_until:
            return Wait(case.closing.key_until, "key_still_needed")
        return Go()


def _settled(draft: Draft, context: Context) -> Decision[DeadlineCase]:
    pace: Pace = context.facts if context.facts is not None else {}
    draft = extension.settle_extension(draft)
    draft = automatic.settle_automatic(draft, pace, context.now)
    draft = clocks.settle_clocks(draft, pace, context.now)
    draft = closing.settle_closing(draft, context)
    draft = addenda.settle_addenda(draft)
    draft = closing.settle_key(draft, context.now)
    return Decision(
        draft.case,
        events=draft.events,
        commands=draft.commands,
        tasks=draft.tasks,
        wake_at=_wake_at(draft.case, context.now),
        closes=draft.closes,
    )


def _wake_at(case: DeadlineCase, now: datetime) -> datetime | None:
    """The next instant at which something may be due: always later than now, or it would turn in circles."""
    times = (part.next_times(case, now) for part in (clocks, automatic, closing))
    return min((at for found in times for at in found), default=None)
