"""What the deadline service states: a date nears, moves, was missed; the request is closed."""

from typing import Literal

from pydantic import AwareDatetime

from shared.events.fulfillment import Resolution
from shared.events.message import Event, event
from shared.events.topics import CLOSED, EXTENDED, JOURNAL_DEADLINE
from shared.policy.clocks import DueDate
from shared.policy.rights import Right

ClockName = Literal["acknowledge", "respond", "effective"]


@event("dsar.deadline.extended", version=1, topic=EXTENDED)
class DeadlineExtended(Event):
    """The answer's date moved, once, because its notice was handed over in time (Civ. Code 1798.130(a)(2)(A))."""

    respond_by: DueDate
    reasons: tuple[str, ...]
    notice_handed_over_at: AwareDatetime
    audit_head: str


@event("dsar.request.closed", version=1, topic=CLOSED)
class RequestClosed(Event):
    """Fulfilled and answered: the request is over. `evidence_digest` is the SHA-256 of the certificate's payload."""

    right: Right
    resolution: Resolution
    closed_at: AwareDatetime
    answered_at: AwareDatetime
    in_time: bool
    evidence_digest: str
    audit_head: str


@event("dsar.deadline.approaching", version=1, topic=JOURNAL_DEADLINE)
class DeadlineApproaching(Event):
    """A date is near and what it asks for has not happened."""

    clock: ClockName
    due: DueDate
    days_left: int


@event("dsar.deadline.missed", version=1, topic=JOURNAL_DEADLINE)
class DeadlineMissed(Event):
    """A date passed without what it asks for; stated once."""

    clock: ClockName
    due: DueDate


@event("dsar.deadline.miss-withdrawn", version=1, topic=JOURNAL_DEADLINE)
class DeadlineMissWithdrawn(Event):
    """A miss was stated too early: what was owed had been handed over in time, and the proof came later."""

    clock: ClockName
    handed_over_at: AwareDatetime
