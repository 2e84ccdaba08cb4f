"""Everything that can be said of a request's dates: what it must keep, what happened to them, what follows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from shared.policy import dates
from shared.policy.clocks import Clocks
from shared.policy.clockwork.course import Course
from shared.policy.clockwork.explaining import Day, explain
from shared.policy.clockwork.happenings import Event, Happening
from shared.policy.clockwork.history import Clockwork
from shared.policy.clockwork.limits import Limit, appeal_dates, due_again_on, limit_of
from shared.policy.clockwork.reckoning import clock_rules, demand_in_force
from shared.policy.regimes import Regime
from shared.policy.rights import Right
from shared.policy.rules import Fact
from shared.policy.windows import ask_again_from


@dataclass(frozen=True)
class Outlook:
    """One request under one regime."""

    work: Clockwork
    course: Course
    clocks: Clocks
    limit: Limit | None
    appeal: Clocks | None
    ask_again_from: date | None
    due_again_on: date | None

    @property
    def regime(self) -> Regime:
        return self.work.regime

    def explained(self) -> dict[str, tuple[Day, ...]]:
        """List every day of every clock."""
        return explain(self.work, self.course, self.clocks)


def look_ahead(
    regime: Regime,
    right: Right,
    received_at: datetime,
    *,
    facts: Collection[Fact] = (),
    events: Sequence[Event] = (),
) -> Outlook:
    """Compute a request's dates after everything that happened, under a regime that is offered or not."""
    received_on = dates.local_date(received_at, regime.zone)
    demand_in_force(regime, right, received_on)
    work = Clockwork(regime, right, clock_rules(regime.right(right), facts))
    course = work.follow(received_on, events)
    appealed, complied = _last(events, Happening.APPEALED), _last(events, Happening.COMPLIED)
    earlier = [event.on for event in events if event.kind is Happening.EARLIER_REQUEST]
    return Outlook(
        work=work,
        course=course,
        clocks=work.dates(course),
        limit=limit_of(regime, right, received_on, earlier) if earlier else None,
        appeal=appeal_dates(regime, appealed) if appealed else None,
        ask_again_from=ask_again_from(regime, right, complied) if complied else None,
        due_again_on=due_again_on(regime, received_on),
    )


def _last(events: Sequence[Event], kind: Happening) -> date | None:
    return max((event.on for event in events if event.kind is kind), default=None)
