"""Warn before a date, say once that it was missed, and take that back when the proof comes later."""

from datetime import datetime

from services.deadline.domain.case import (
    ACKNOWLEDGEMENTS,
    ANSWERS,
    WITHDRAWALS,
    DeadlineCase,
    Draft,
    Received,
    owed,
    regime_of,
)
from services.deadline.domain.work import Pace, outlook
from shared.events.deadline import ClockName, DeadlineApproaching, DeadlineMissed, DeadlineMissWithdrawn
from shared.machine.decision import Outgoing
from shared.policy import DueDate, WarningTime, warning_times
from shared.policy.dates import local_date


def settle_clocks(draft: Draft, pace: Pace, now: datetime) -> Draft:
    """State or withdraw a miss, or warn, for each clock of the request."""
    received = draft.case.received
    if received is None:
        return draft
    for clock, due in owed(received, extended=draft.case.extended).items():
        draft = _missed(draft, clock, due, now)
    return _warned(draft, received, pace, now)


def met_at(case: DeadlineCase, clock: ClockName) -> datetime | None:
    """When what the clock asks for was done; None while it was not.

    An acknowledgement is not owed any more once the request was granted or denied (11 CCR 7021(a)), and
    nothing is owed to who took the request back.
    """
    final = ANSWERS | WITHDRAWALS
    kinds = final | ACKNOWLEDGEMENTS if clock == "acknowledge" else final
    taken_back = case.withdrawn_at if case.resolution in (None, "withdrawn") else None
    times = [at for at in (case.first_notice(kinds), taken_back) if at is not None]
    return min(times, default=None)


def next_times(case: DeadlineCase, now: datetime) -> list[datetime]:
    """When a clock that still runs has something to say: later than now, every one of them."""
    received = case.received
    if received is None or case.closing is not None:
        return []
    dates = owed(received, extended=case.extended)
    met = {clock: met_at(case, clock) for clock in dates}
    running = [due.late_from for clock, due in dates.items() if not _before(met[clock], due)]
    rungs = [rung.at for rung in _rungs(case, received) if met[rung.clock] is None]
    return [at for at in (*rungs, *running) if at > now]


def _missed(draft: Draft, clock: ClockName, due: DueDate, now: datetime) -> Draft:
    """State a miss once; it stands until what was owed turns out to have been in time, whatever a clock says."""
    case = draft.case
    met = met_at(case, clock)
    if _before(met, due):
        return _taken_back(draft, clock, met) if met and clock in case.missed else draft
    if now < due.late_from or clock in case.missed:
        return draft
    stated = case.model_copy(update={"missed": (*case.missed, clock)})
    return draft.then(stated, Outgoing(DeadlineMissed(clock=clock, due=due)))


def _taken_back(draft: Draft, clock: ClockName, met: datetime) -> Draft:
    missed = tuple(one for one in draft.case.missed if one != clock)
    fact = DeadlineMissWithdrawn(clock=clock, handed_over_at=met)
    return draft.then(draft.case.model_copy(update={"missed": missed}), Outgoing(fact))


def _before(met: datetime | None, due: DueDate) -> bool:
    return met is not None and met < due.late_from


def _warned(draft: Draft, received: Received, pace: Pace, now: datetime) -> Draft:
    """State only the last rung that has come: after an outage one warning is of use, three are not."""
    due_now: dict[ClockName, WarningTime] = {
        rung.clock: rung for rung in _rungs(draft.case, received) if rung.at <= now
    }
    dates = owed(received, extended=draft.case.extended) if due_now else {}
    for clock, due in dates.items():
        rung, case = due_now.get(clock), draft.case
        if rung is None or now >= due.late_from or met_at(case, clock) is not None:
            continue
        if rung.days_before < case.warned.get(clock, rung.days_before + 1):
            warning = _warning(case, received, clock, pace, now)
            told = _covered(case, received, warning)
            stated = case.model_copy(update={"warned": {**case.warned, clock: told}})
            draft = draft.then(stated, Outgoing(warning))
    return draft


def _covered(case: DeadlineCase, received: Received, warning: DeadlineApproaching) -> int:
    """The last rung that a warning makes needless: one given late, in the night before the next, is that one too."""
    rungs = (rung for rung in _rungs(case, received) if rung.clock == warning.clock)
    return min(rung.days_before for rung in rungs if rung.days_before >= warning.days_left)


def _warning(
    case: DeadlineCase, received: Received, clock: ClockName, pace: Pace, now: datetime
) -> DeadlineApproaching:
    """The warning, with what the request waits for; an acknowledgement waits for no system."""
    due = owed(received, extended=case.extended)[clock]
    left = (due.date - local_date(now, regime_of(received).zone)).days
    found = outlook(case, pace, due.late_from, now) if clock != "acknowledge" else None
    return DeadlineApproaching(
        clock=clock,
        due=due,
        days_left=left,
        predicted=found.predicted if found else None,
        waits_for=found.waits_for if found else (),
    )


def _rungs(case: DeadlineCase, received: Received) -> tuple[WarningTime, ...]:
    return warning_times(regime_of(received), received.clocks, extended=case.extended)
