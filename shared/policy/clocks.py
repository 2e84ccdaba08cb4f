"""From a receipt to its dates: which clocks a right starts, when each runs out, and what law still allows.

Dates are scheduled on the strictest reading (unrolled days, the safe calendar); `legal_latest` is what the
law would still accept, kept apart so that nothing is ever planned on it.
"""

from datetime import date as day_of
from datetime import datetime
from typing import Self

from pydantic import AwareDatetime

from shared.policy import dates
from shared.policy.regimes import NotInForceError, Regime, RightNotOfferedError
from shared.policy.rights import Degree, Right
from shared.policy.rules import BusinessDays, CalendarDays, Strict, Verification, VerifyBy


class DueDate(Strict):
    """One date: the day, the first UTC instant that is late, the last day the law accepts, its source."""

    date: day_of
    late_from: AwareDatetime
    legal_latest: day_of
    cite: str


class Clocks(Strict):
    """The dates that one request must keep; a clock that its right does not have is null."""

    right: Right
    received_on: day_of
    acknowledge_by: DueDate | None = None
    respond_by: DueDate | None = None
    extend_to: DueDate | None = None
    effective_by: DueDate | None = None
    verify_by: DueDate | None = None
    policy_version: str

    @property
    def answer_by(self) -> DueDate | None:
        """The date that the request is measured by; None for a right that the law gives no time (opt_in)."""
        return self.respond_by or self.effective_by

    def due(self, *, extended: bool) -> DueDate | None:
        """Give the date of the answer, after a valid extension or without one."""
        return self.extend_to if extended and self.extend_to else self.answer_by

    def to_json(self) -> dict[str, object]:
        """Give plain JSON values, without the clocks that are null."""
        return self.model_dump(mode="json", exclude_none=True)

    @classmethod
    def from_json(cls, value: object) -> Self:
        return cls.model_validate(value)


def compute_clocks(regime: Regime, right: Right, received_at: datetime) -> Clocks:
    """Start the clocks of a right on the local date of receipt (11 CCR 7021: receipt, not verification)."""
    received_on = dates.local_date(received_at, regime.zone)
    _demand_offered(regime, right, received_on)
    clocks = regime.right(right).clocks
    respond_by = _due(regime, clocks.respond, received_on)
    return Clocks(
        right=right,
        received_on=received_on,
        acknowledge_by=_due(regime, clocks.acknowledge, received_on),
        respond_by=respond_by,
        extend_to=_due(regime, clocks.extend, received_on),
        effective_by=_due(regime, clocks.effective, received_on),
        verify_by=_verify_by(regime, right, respond_by),
        policy_version=regime.version,
    )


def verification_rule(regime: Regime, right: Right) -> Verification:
    """Give the degree that a right needs; `Degree.NONE` means that verification must not be asked for."""
    return regime.right(right).verification


def _demand_offered(regime: Regime, right: Right, received_on: day_of) -> None:
    rules = regime.right(right)
    if not regime.rules.offered:
        raise RightNotOfferedError(f"regime {regime.id} is not offered: some of its rules are unconfirmed")
    named = ((f"regime {regime.id}", regime.rules.effective), (f"right {right}", rules.effective))
    for what, effective in named:
        if not effective.covers(received_on):
            until = f"to {effective.last}" if effective.last else "on"
            raise NotInForceError(f"{what} covers requests received from {effective.first} {until}")


def _due(regime: Regime, rule: BusinessDays | CalendarDays | None, start: day_of) -> DueDate | None:
    if rule is None:
        return None
    if isinstance(rule, BusinessDays):
        due = dates.add_business_days(start, rule.n, regime.calendars[rule.calendar])
        latest = dates.add_business_days(start, rule.n, regime.calendars[rule.latest_calendar])
    else:
        due = dates.add_days(start, rule.n)
        latest = dates.roll(due, regime.calendars[rule.latest_roll]) if rule.latest_roll else due
    return DueDate(date=due, late_from=dates.late_from(due, regime.zone), legal_latest=latest, cite=rule.cite)


def _verify_by(regime: Regime, right: Right, respond_by: DueDate | None) -> DueDate | None:
    """Leave the answer its days; the law itself would let verification run until the answer is due."""
    if respond_by is None or verification_rule(regime, right).degree is Degree.NONE:
        return None
    rule: VerifyBy = regime.rules.verify_by
    due = dates.add_days(respond_by.date, -rule.answer_days)
    return DueDate(
        date=due,
        late_from=dates.late_from(due, regime.zone),
        legal_latest=respond_by.date,
        cite=rule.cite,
    )
