"""What is said of systems that are done while others are not: a while later, and nothing where the end says it all.

Most requests end within seconds, with one fact that names every system; a fact for each system before that would
double what has to be written, sent and heard for them (ADR 0054).
"""

from datetime import datetime, timedelta
from typing import Final

from services.fulfillment.domain import planning
from services.fulfillment.domain.case import FulfillmentCase
from shared.events.fulfillment import TaskSettled
from shared.machine.decision import Outgoing

# Far below the hours and days that predictions count in, far above what systems take that answer at once.
TELL_AFTER: Final = timedelta(minutes=10)


def done(case: FulfillmentCase, key: str, now: datetime) -> FulfillmentCase:
    """A system's task has ended, and its outcome stands in the case."""
    update = {"untold": tuple(sorted({*case.untold, key})), "tell_at": case.tell_at or now + TELL_AFTER}
    return case.model_copy(update=update)


def tell(case: FulfillmentCase, now: datetime) -> tuple[FulfillmentCase, tuple[Outgoing, ...]]:
    """What is due to be said by now; an ended request has said it all."""
    if case.tell_at is None:
        return case, ()
    if case.stage == "ended":
        return _with_nothing_untold(case), ()
    if case.tell_at > now:
        return case, ()
    return _with_nothing_untold(case), tuple(_settled(case, key) for key in case.untold)


def _settled(case: FulfillmentCase, key: str) -> Outgoing:
    name = planning.system_of(key)
    outcome = next(one for one in case.outcomes if one.system == name)
    return Outgoing(TaskSettled(right=planning.right_of(key), settled=outcome))


def _with_nothing_untold(case: FulfillmentCase) -> FulfillmentCase:
    return case.model_copy(update={"untold": (), "tell_at": None})
