"""What a law has repeated, such as a data broker's access to the state's deletion platform every 45 days.

Such a clock is no request's: it has a case of its own, which begins with the first access that somebody states, and
runs from the last one (Civ. Code 1798.99.86(c)).
"""

from datetime import datetime, timedelta
from typing import Final

from services.deadline.domain.case import Access, DeadlineCase, Draft
from shared.events.deadline import DeadlineApproaching, DeadlineMissed, DeadlineMissWithdrawn
from shared.events.recurring import RecordAccess
from shared.machine.decision import Outgoing
from shared.policy import DueDate, Regime, WarningTime, access_due, access_warnings, load_regime, regime_names
from shared.policy.dates import local_date

ACCESS: Final = "access"
SKEW: Final = timedelta(minutes=5)


def record(case: DeadlineCase, command: RecordAccess, now: datetime) -> Draft:
    """The clock begins anew with the latest access; a miss is taken back where that one was in time after all."""
    refusal = _refusal(case, command, now)
    if refusal is not None:
        return Draft(case, refusal=refusal)
    missed, due = ACCESS in case.missed, _due(case)
    known = case.model_copy(
        update={
            "access": Access(regime=command.regime, at=command.accessed_at),
            "warned": {clock: rung for clock, rung in case.warned.items() if clock != ACCESS},
            "missed": tuple(clock for clock in case.missed if clock != ACCESS),
        }
    )
    in_time = missed and due is not None and command.accessed_at < due.late_from
    taken_back = DeadlineMissWithdrawn(clock=ACCESS, handed_over_at=command.accessed_at)
    return Draft(known).then(known, *((Outgoing(taken_back),) if in_time else ()))


def settle_cadence(draft: Draft, now: datetime) -> Draft:
    """Warn of the next access before its date, and say once that it was missed."""
    case, due = draft.case, _due(draft.case)
    if due is None or ACCESS in case.missed:
        return draft
    if now >= due.late_from:
        stated = case.model_copy(update={"missed": (*case.missed, ACCESS)})
        return draft.then(stated, Outgoing(DeadlineMissed(clock=ACCESS, due=due)))
    come = [rung for rung in _rungs(case, due) if rung.at <= now]
    if not come or come[-1].days_before >= case.warned.get(ACCESS, come[-1].days_before + 1):
        return draft
    stated = case.model_copy(update={"warned": {**case.warned, ACCESS: come[-1].days_before}})
    left = (due.date - local_date(now, _regime(case).zone)).days
    return draft.then(stated, Outgoing(DeadlineApproaching(clock=ACCESS, due=due, days_left=left)))


def next_times(case: DeadlineCase, now: datetime) -> list[datetime]:
    """When the clock has something to say next."""
    due = _due(case)
    if due is None or ACCESS in case.missed:
        return []
    return [at for at in (*(rung.at for rung in _rungs(case, due)), due.late_from) if at > now]


def _refusal(case: DeadlineCase, command: RecordAccess, now: datetime) -> str | None:
    if command.regime not in regime_names() or load_regime(command.regime).rules.cadence is None:
        return "nothing_recurs"
    regime = load_regime(command.regime)
    reasons = (
        ("is_a_request", case.received is not None),
        ("in_future", command.accessed_at > now + SKEW),
        ("not_in_force", not regime.rules.effective.covers(local_date(command.accessed_at, regime.zone))),
        ("not_the_latest", case.access is not None and command.accessed_at < case.access.at),
    )
    return next((reason for reason, applies in reasons if applies), None)


def _regime(case: DeadlineCase) -> Regime:
    assert case.access is not None  # noqa: S101 - asked only of a case that has one
    return load_regime(case.access.regime)


def _due(case: DeadlineCase) -> DueDate | None:
    return access_due(_regime(case), case.access.at) if case.access else None


def _rungs(case: DeadlineCase, due: DueDate) -> tuple[WarningTime, ...]:
    return access_warnings(_regime(case), due)
