"""Every day of a period with why it counts or does not, so that a person can check a date by hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from shared.policy.calendars.holidays import BusinessCalendar
from shared.policy.clocks import Clocks, DueDate
from shared.policy.clockwork.counting import last_days
from shared.policy.clockwork.course import Course, days_between
from shared.policy.clockwork.history import Clockwork
from shared.policy.clockwork.periods import AnyPeriod, BusinessDays, Immediately
from shared.policy.dates import ONE_DAY

NAMES = {
    "acknowledge": "acknowledge_by",
    "respond": "respond_by",
    "extend": "extend_to",
    "effective": "effective_by",
}


@dataclass(frozen=True, slots=True)
class Day:
    """One day: its number in the period, or None where it does not count, and the reason."""

    on: date
    number: int | None
    why: str


def explain(work: Clockwork, course: Course, clocks: Clocks) -> dict[str, tuple[Day, ...]]:
    """List the days of each clock that the request has, from receipt to its date."""
    explained = {}
    for rule_name, name in NAMES.items():
        rule, due = getattr(work.rules, rule_name), getattr(clocks, name)
        if rule is not None and due is not None:
            explained[name] = tuple(_days(work, course, rule, due))
    return explained


def _days(work: Clockwork, course: Course, rule: AnyPeriod, due: DueDate) -> Iterator[Day]:
    yield Day(course.received_on, None, "the day of receipt does not count")
    yield from _waiting(course, due)
    if isinstance(rule, Immediately):
        return
    days = days_between(course.start + ONE_DAY, due.date)
    if isinstance(rule, BusinessDays):
        yield from _business_days(days, rule.n, work.regime.calendars[rule.calendar])
    else:
        calendar = work.regime.calendars[rule.roll] if rule.roll else None
        end, _ = last_days(rule, work.rules, course)
        yield from _calendar_days(days, end, course, calendar)


def _waiting(course: Course, due: DueDate) -> Iterator[Day]:
    """The days before a period that began later than receipt."""
    last = min(course.start, due.date)
    if course.start > course.received_on:
        for day in days_between(course.received_on + ONE_DAY, last):
            yield Day(day, None, f"the period begins on {course.start}, whose own day does not count")


def _business_days(days: Iterator[date], length: int, calendar: BusinessCalendar) -> Iterator[Day]:
    number = 0
    for day in days:
        closed = calendar.closed_because(day)
        number += closed is None
        yield Day(day, None, closed) if closed else Day(day, number, f"business day {number} of {length}")


def _calendar_days(
    days: Iterator[date], end: date, course: Course, calendar: BusinessCalendar | None
) -> Iterator[Day]:
    number = 0
    for day in days:
        closed = calendar.closed_because(day) if calendar and day >= end else None
        carried = f"; closed ({closed}), so the end is carried on" if closed else ""
        if day in course.days_lost:
            yield Day(day, None, "the clock stood: not counted")
        elif day > end:
            yield Day(day, None, f"after the last day{carried or ', the next open day: the period ends'}")
        else:
            number += 1
            last = ", the last one" if day == end else ""
            yield Day(day, number, f"calendar day {number}{last}{carried}")
