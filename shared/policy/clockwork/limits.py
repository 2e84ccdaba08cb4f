"""How often a right must be answered, until when an appeal is, and when what recurs is due again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from shared.policy import dates
from shared.policy.clocks import Clocks
from shared.policy.clockwork.course import begin
from shared.policy.clockwork.reckoning import dates_of
from shared.policy.regimes import Regime
from shared.policy.rights import Right
from shared.policy.rules import Frequency


@dataclass(frozen=True, slots=True)
class Limit:
    """Whether a right need not be answered again, and from which day it must be."""

    reached: bool
    again_from: date | None
    cite: str


def limit_of(regime: Regime, right: Right, received_on: date, earlier: Iterable[date]) -> Limit | None:
    """Judge a request by the days on which the same person asked before; None where there is no limit."""
    rule = regime.right(right).frequency
    if rule is None:
        return None
    ends = sorted(_over_on(rule, day) for day in earlier if day <= received_on)
    still = [end for end in ends if end > received_on]
    reached = len(still) >= rule.times
    return Limit(reached=reached, again_from=still[-rule.times] if reached else None, cite=rule.cite)


def appeal_dates(regime: Regime, appealed_on: date) -> Clocks | None:
    """Give the dates of an appeal that came on that day; None where the law creates none."""
    rules = regime.rules.rights.get(Right.APPEAL)
    if rules is None or not rules.effective.covers(appealed_on):
        return None
    return dates_of(regime, Right.APPEAL, begin(appealed_on), rules.clocks)


def due_again_on(regime: Regime, last_done_on: date) -> date | None:
    """Give the last day for what must be repeated (Civ. Code 1798.99.86(c): every 45 days)."""
    cadence = regime.rules.cadence
    return dates.add_days(last_done_on, cadence.days) if cadence else None


def _over_on(rule: Frequency, earlier: date) -> date:
    """The first day on which an earlier request does not count any more; in doubt the person is answered."""
    if rule.calendar_year or rule.months is None:
        return date(earlier.year + 1, 1, 1)
    return dates.corresponding_date(earlier, rule.months)
