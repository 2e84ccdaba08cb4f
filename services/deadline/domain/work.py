"""The systems that a request waits for, as fulfillment's journal names them, and when they will be done.

What is predicted rests on how long the same system took for the same right before; where that is not known, nothing
is claimed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from services.deadline.domain.case import DeadlineCase, Work
from shared.events.deadline import OpenWork
from shared.events.fulfillment import TaskNeedsPerson, TaskSettled, TasksPlanned
from shared.machine.decision import Message

Prediction = Literal["in_time", "late", "unknown"]
# Fewer finished tasks than this say nothing about the next one.
ENOUGH: Final = 5
# What a task about no system in particular works on: putting the answer together.
ANSWER: Final = "answer"
# What waits for a person to decide whether the request is answered at all; no reason to take more time.
DECISION: Final = "decision"
# A notice names five; which of them will still be open nobody knows when they are planned.
MOST_NAMED: Final = 12


@dataclass(frozen=True, slots=True)
class Usual:
    """How long nine of ten finished tasks took, and how many were looked at."""

    seen: int
    within: timedelta


Pace = Mapping[tuple[str, str], Usual]
"""By system and right."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is waited for, and whether it will be done in time."""

    predicted: Prediction
    waits_for: tuple[OpenWork, ...]


def planned(case: DeadlineCase, message: Message) -> DeadlineCase:
    """The systems that will be asked; a later plan takes the place of an earlier one."""
    body = message.body
    assert isinstance(body, TasksPlanned)  # noqa: S101 - narrows
    names = tuple(sorted(set(body.systems)))
    return _with(case, Work(since=message.at, right=body.right, open=names, named=body.named[:MOST_NAMED]))


def settled(case: DeadlineCase, message: Message) -> DeadlineCase:
    """One system is done."""
    body, work = message.body, case.work
    assert isinstance(body, TaskSettled)  # noqa: S101 - narrows
    if work is None:
        return case
    name = body.settled.system
    return _with(
        case, work.model_copy(update={"open": _less(work.open, name), "stuck": _less(work.stuck, name)})
    )


def stuck(case: DeadlineCase, message: Message) -> DeadlineCase:
    """A person has to see to a system; one that no plan named (it was to identify the subject) is waited for too."""
    body = message.body
    assert isinstance(body, TaskNeedsPerson)  # noqa: S101 - narrows
    work = case.work or Work(since=message.at)
    name = DECISION if body.kind == DECISION else body.system or ANSWER
    more = {"open": _more(work.open, name), "stuck": _more(work.stuck, name)}
    return _with(case, work.model_copy(update=more))


def outlook(case: DeadlineCase, pace: Pace, late_from: datetime, now: datetime) -> Outlook | None:
    """Whether the open systems will be done before that instant; None where no system is waited for."""
    work = case.work
    if work is None or not work.open:
        return None
    waits_for = tuple(_open_work(work, name, pace) for name in work.open)
    found = {_predicted(one, late_from, now) for one in waits_for}
    worst: Prediction = next((word for word in ("late", "unknown") if word in found), "in_time")
    return Outlook(worst, waits_for)


def _open_work(work: Work, name: str, pace: Pace) -> OpenWork:
    usual = pace.get((name, work.right)) if work.right else None
    waits = name in work.stuck
    known = usual if usual and usual.seen >= ENOUGH and not waits else None
    return OpenWork(
        system=name,
        since=work.since,
        needs_person=waits,
        seen=usual.seen if usual else 0,
        nine_in_ten_within_hours=round(known.within / timedelta(hours=1), 1) if known else None,
    )


def _predicted(one: OpenWork, late_from: datetime, now: datetime) -> Prediction:
    """Nobody knows when a person sees to it, so that counts as late; who took longer than usual says nothing more."""
    if one.needs_person:
        return "late"
    if one.nine_in_ten_within_hours is None:
        return "unknown"
    expected = one.since + timedelta(hours=one.nine_in_ten_within_hours)
    if expected >= late_from:
        return "late"
    return "in_time" if expected > now else "unknown"


def _with(case: DeadlineCase, work: Work) -> DeadlineCase:
    """Once fulfillment has said how the request ended, in whatever order it is heard, nothing is waited for."""
    return case if case.ending is not None else case.model_copy(update={"work": work})


def _less(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(one for one in names if one != name)


def _more(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(sorted({*names, name}))
