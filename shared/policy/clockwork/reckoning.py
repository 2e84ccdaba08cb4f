"""From a receipt to its dates: which clocks a right starts, when each runs out, and what the law still allows."""

from collections.abc import Collection
from datetime import date, datetime
from functools import lru_cache

from shared.policy import dates
from shared.policy.clocks import Clocks, DueDate
from shared.policy.clockwork import counting
from shared.policy.clockwork.course import Course, begin
from shared.policy.clockwork.periods import AnyPeriod, ClockRules
from shared.policy.regimes import NotInForceError, Regime, RightNotOfferedError
from shared.policy.rights import Degree, Right
from shared.policy.rules import Fact, RightRules, Verification

NO_FACTS: frozenset[Fact] = frozenset()


def compute_clocks(
    regime: Regime, right: Right, received_at: datetime, facts: Collection[Fact] = NO_FACTS
) -> Clocks:
    """Start the clocks of a request that the regime takes; one that it does not is refused with the reason."""
    if not regime.rules.offered:
        raise RightNotOfferedError(f"regime {regime.id} is not offered: {regime.rules.because}")
    return reckon(regime, right, received_at, facts)


def reckon(regime: Regime, right: Right, received_at: datetime, facts: Collection[Fact] = NO_FACTS) -> Clocks:
    """Give the dates on the local date of receipt (11 CCR 7021: receipt, not verification), offered or not."""
    return _reckoned(regime, right, dates.local_date(received_at, regime.zone), frozenset(facts))


@lru_cache(maxsize=1024)
def _reckoned(regime: Regime, right: Right, received_on: date, facts: frozenset[Fact]) -> Clocks:
    """A day's requests share their dates."""
    demand_in_force(regime, right, received_on)
    return dates_of(regime, right, begin(received_on), clock_rules(regime.right(right), facts))


def dates_of(regime: Regime, right: Right, course: Course, clocks: ClockRules) -> Clocks:
    """Give every date of a request whose clocks ran that course."""
    respond_by = _due(regime, clocks, clocks.respond, course)
    return Clocks(
        right=right,
        received_on=course.received_on,
        acknowledge_by=_due(regime, clocks, clocks.acknowledge, course),
        respond_by=respond_by,
        extend_to=_due(regime, clocks, clocks.extend, course),
        effective_by=_due(regime, clocks, clocks.effective, course),
        verify_by=_verify_by(regime, right, respond_by, course),
        policy_version=regime.version,
    )


def clock_rules(rules: RightRules, facts: Collection[Fact] = NO_FACTS) -> ClockRules:
    """Give the clocks of a right, or those of the variant whose fact holds."""
    return next((variant.clocks for variant in rules.variants if variant.when in facts), rules.clocks)


def verification_rule(regime: Regime, right: Right) -> Verification:
    """Give the degree that a right needs; `Degree.NONE` means that verification must not be asked for."""
    return regime.right(right).verification


def demand_in_force(regime: Regime, right: Right, received_on: date) -> None:
    """Refuse a request from a day on which the regime or the right was not law."""
    rules = regime.right(right)
    named = ((f"regime {regime.id}", regime.rules.effective), (f"right {right}", rules.effective))
    for what, effective in named:
        if not effective.covers(received_on):
            until = f"to {effective.last}" if effective.last else "on"
            raise NotInForceError(f"{what} covers requests received from {effective.first} {until}")


def _due(regime: Regime, clocks: ClockRules, rule: AnyPeriod | None, course: Course) -> DueDate | None:
    if rule is None:
        return None
    due, latest = counting.end_of(rule, clocks, course, regime.calendars)
    return DueDate(date=due, late_from=dates.late_from(due, regime.zone), legal_latest=latest, cite=rule.cite)


def _verify_by(regime: Regime, right: Right, respond_by: DueDate | None, course: Course) -> DueDate | None:
    """Leave the answer its days; the law itself would let verification run until the answer is due."""
    if respond_by is None or verification_rule(regime, right).degree is Degree.NONE:
        return None
    rule = regime.rules.verify_by
    due = max(dates.add_days(respond_by.date, -rule.answer_days), course.received_on)
    return DueDate(
        date=due,
        late_from=dates.late_from(due, regime.zone),
        legal_latest=respond_by.date,
        cite=rule.cite,
    )
