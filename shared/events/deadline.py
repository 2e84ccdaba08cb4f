"""What the deadline service states: a date nears, moves, was missed; the request is closed."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.events.fulfillment import Resolution
from shared.events.message import Event, event
from shared.events.topics import CLOSED, EXTENDED, JOURNAL_DEADLINE
from shared.policy.clocks import DueDate
from shared.policy.rights import Right

# `access` is no request's: a law has a business repeat something, such as looking at the state's platform.
ClockName = Literal["acknowledge", "respond", "effective", "access"]


@event("dsar.deadline.extended", version=1, topic=EXTENDED)
class DeadlineExtended(Event):
    """The answer's date moved, once, because its notice was handed over in time (Civ. Code 1798.130(a)(2)(A))."""

    respond_by: DueDate
    reasons: tuple[str, ...]
    notice_handed_over_at: AwareDatetime
    audit_head: str


@event("dsar.request.closed", version=1, topic=CLOSED)
class RequestClosed(Event):
    """Fulfilled and answered: the request is over. `evidence_digest` is the SHA-256 of the certificate's payload.

    After an opt-out, nobody may ask the person to opt in again before `ask_again_from` (Civ. Code 1798.135(c)(4)).
    """

    right: Right
    resolution: Resolution
    closed_at: AwareDatetime
    answered_at: AwareDatetime
    in_time: bool
    ask_again_from: date | None = None
    evidence_digest: str
    audit_head: str


class OpenWork(BaseModel):
    """A system that is not done, and what its earlier tasks say of it.

    `nine_in_ten_within_hours` is how long nine of ten of its last finished tasks for this right took, out of `seen`;
    null where too few were seen, or a person has to see to it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    system: str
    since: AwareDatetime
    needs_person: bool = False
    seen: int = 0
    nine_in_ten_within_hours: float | None = None


@event("dsar.deadline.approaching", version=1, topic=JOURNAL_DEADLINE)
class DeadlineApproaching(Event):
    """A date is near and what it asks for has not happened.

    `predicted` says whether the systems that are waited for will be done before the date, as far as their history
    tells; null where no system is waited for.
    """

    clock: ClockName
    due: DueDate
    days_left: int
    predicted: Literal["in_time", "late", "unknown"] | None = None
    waits_for: tuple[OpenWork, ...] = ()


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


@event("dsar.deadline.key-destroyed", version=1, topic=JOURNAL_DEADLINE)
class RequestKeyDestroyed(Event):
    """The request's key is gone for good, and with it everything that was sealed under it.

    `due_at` is when nothing needed it any more; `plan` the SHA-256 of the retention plan by which it was ordered.
    """

    business: str
    regime: str
    right: Right
    resolution: Resolution
    closed_at: AwareDatetime
    due_at: AwareDatetime
    destroyed_at: AwareDatetime
    plan: str | None = None
