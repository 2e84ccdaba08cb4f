"""Warn before a date, say once that it was missed, and take that back when the proof comes later."""

from collections.abc import Mapping
from datetime import datetime
from itertools import islice, takewhile
from typing import Final, NamedTuple

from services.deadline.domain.case import (
    ACKNOWLEDGEMENTS,
    ANSWERS,
    WITHDRAWALS,
    DeadlineCase,
    Draft,
    Kinds,
    owed,
    regime_of,
)
from services.deadline.domain.work import Pace, outlook
from shared.events.deadline import ClockName, DeadlineApproaching, DeadlineMissed, DeadlineMissWithdrawn
from shared.machine.decision import Outgoing
from shared.policy import DueDate, WarningTime, warning_times
from shared.policy.dates import local_date

ENDED: Final[Kinds] = ANSWERS | WITHDRAWALS
ACKNOWLEDGED: Final[Kinds] = ENDED | ACKNOWLEDGEMENTS


class Standing(NamedTuple):
    """One clock: its date, when what it asks for was done, and whether that was in time."""

    due: DueDate
    met: datetime | None
    in_time: bool


class Schedule(NamedTuple):
    """A request's clocks as they stand, and all their warnings, earliest first."""

    clocks: Mapping[ClockName, Standing]
    rungs: tuple[WarningTime, ...]


def schedule_of(case: DeadlineCase) -> Schedule:
    """The dates by what is known now; a request that was not received has none."""
    received = case.received
    if received is None:
        return Schedule({}, ())
    dates = owed(received, extended=case.extended)
    rungs = warning_times(regime_of(received), received.clocks, extended=case.extended)
    return Schedule({clock: _standing(case, clock, due) for clock, due in dates.items()}, rungs)


def settle_clocks(draft: Draft, schedule: Schedule, pace: Pace, now: datetime) -> Draft:
    """State or withdraw a miss, or warn, for each clock of the request."""
    for clock, standing in schedule.clocks.items():
        draft = _missed(draft, clock, standing, now)
    return _warned(draft, schedule, pace, now)


def met_at(case: DeadlineCase, clock: ClockName) -> datetime | None:
    """When what the clock asks for was done; None while it was not.

    An acknowledgement is not owed any more once the request was granted or denied (11 CCR 7021(a)), and
    nothing is owed to who took the request back.
    """
    told = case.first_notice(ACKNOWLEDGED if clock == "acknowledge" else ENDED)
    taken_back = case.withdrawn_at if case.resolution in (None, "withdrawn") else None
    if told is None or taken_back is None:
        return told or taken_back
    return min(told, taken_back)


def next_times(case: DeadlineCase, schedule: Schedule, now: datetime) -> list[datetime]:
    """When a clock that still runs has something to say: later than now, every one of them."""
    if case.closing is not None:
        return []
    clocks = schedule.clocks
    running = [one.due.late_from for one in clocks.values() if not one.in_time]
    rungs = (rung.at for rung in schedule.rungs if rung.at > now and clocks[rung.clock].met is None)
    return [*islice(rungs, 1), *(at for at in running if at > now)]


def _standing(case: DeadlineCase, clock: ClockName, due: DueDate) -> Standing:
    met = met_at(case, clock)
    return Standing(due, met, in_time=met is not None and met < due.late_from)


def _missed(draft: Draft, clock: ClockName, standing: Standing, now: datetime) -> Draft:
    """State a miss once; it stands until what was owed turns out to have been in time, whatever a clock says."""
    case, due, met = draft.case, standing.due, standing.met
    if standing.in_time:
        return _taken_back(draft, clock, met) if met and clock in case.missed else draft
    if clock in case.missed or now < due.late_from:
        return draft
    stated = case.model_copy(update={"missed": (*case.missed, clock)})
    return draft.then(stated, Outgoing(DeadlineMissed(clock=clock, due=due)))


def _taken_back(draft: Draft, clock: ClockName, met: datetime) -> Draft:
    missed = tuple(one for one in draft.case.missed if one != clock)
    fact = DeadlineMissWithdrawn(clock=clock, handed_over_at=met)
    return draft.then(draft.case.model_copy(update={"missed": missed}), Outgoing(fact))


def _warned(draft: Draft, schedule: Schedule, pace: Pace, now: datetime) -> Draft:
    """State only the last rung that has come: after an outage one warning is of use, three are not."""
    come = {rung.clock: rung for rung in takewhile(lambda rung: rung.at <= now, schedule.rungs)}
    for clock, standing in schedule.clocks.items() if come else ():
        rung, case = come.get(clock), draft.case
        if rung is None or standing.met is not None or now >= standing.due.late_from:
            continue
        if rung.days_before < case.warned.get(clock, rung.days_before + 1):
            warning = _warning(case, clock, standing.due, pace, now)
            told = _covered(schedule, warning)
            stated = case.model_copy(update={"warned": {**case.warned, clock: told}})
            draft = draft.then(stated, Outgoing(warning))
    return draft


def _covered(schedule: Schedule, warning: DeadlineApproaching) -> int:
    """The last rung that a warning makes needless: one given late, in the night before the next, is that one too."""
    rungs = (rung for rung in schedule.rungs if rung.clock == warning.clock)
    return min(rung.days_before for rung in rungs if rung.days_before >= warning.days_left)


def _warning(
    case: DeadlineCase, clock: ClockName, due: DueDate, pace: Pace, now: datetime
) -> DeadlineApproaching:
    """The warning, with what the request waits for; an acknowledgement waits for no system."""
    assert case.received is not None  # noqa: S101 - only who was received has clocks
    left = (due.date - local_date(now, regime_of(case.received).zone)).days
    found = outlook(case, pace, due.late_from, now) if clock != "acknowledge" else None
    return DeadlineApproaching(
        clock=clock,
        due=due,
        days_left=left,
        predicted=found.predicted if found else None,
        waits_for=found.waits_for if found else (),
    )
