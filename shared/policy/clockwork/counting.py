"""The end of a period: each form has its own way to count, pauses are added, closed days carried, caps kept.

Where the law can be read in two ways the earlier end is scheduled on and the later one is `legal_latest`.
"""

from collections.abc import Mapping
from datetime import date

from shared.policy import dates
from shared.policy.clockwork.course import Course
from shared.policy.clockwork.periods import (
    AnyPeriod,
    BusinessDays,
    Cap,
    ClockRules,
    Counted,
    Immediately,
    MoreMonths,
)
from shared.policy.dates import Calendar

Calendars = Mapping[str, Calendar]


def end_of(rule: AnyPeriod, clocks: ClockRules, course: Course, calendars: Calendars) -> tuple[date, date]:
    """Give the last day to schedule on and the last one that the law accepts."""
    if isinstance(rule, Immediately):
        due = latest = course.start
    elif isinstance(rule, BusinessDays):
        due = dates.add_business_days(course.start, rule.n, calendars[rule.calendar])
        latest = dates.add_business_days(course.start, rule.n, calendars[rule.latest_calendar])
    else:
        due, latest = _carried(rule, last_days(rule, clocks, course), calendars)
    return (
        (_capped(clocks.cap, course, due), _capped(clocks.cap, course, latest))
        if clocks.cap
        else (due, latest)
    )


def last_days(rule: Counted, clocks: ClockRules, course: Course) -> tuple[date, date]:
    """Give the last day before any closed day carries it on, by the stricter and by the milder reading."""
    end = _plain(rule, course.start)
    if not course.stopped and not isinstance(rule, MoreMonths):
        return end, end
    strict, mild = len(course.days_lost), len(course.days_lost_mildly)
    ends = [dates.add_days(end, strict), dates.add_days(end, mild)]
    if isinstance(rule, MoreMonths) and clocks.respond and clocks.respond.unit == "month":
        first = _plain(clocks.respond, course.start)
        ends += [
            dates.corresponding_date(dates.add_days(first, days), rule.n - clocks.respond.n)
            for days in (strict, mild)
        ]
    return min(ends), max(ends)


def _plain(rule: Counted, start: date) -> date:
    if rule.unit == "month":
        return dates.corresponding_date(start, rule.n)
    return dates.add_days(start, rule.n)


def _carried(rule: Counted, ends: tuple[date, date], calendars: Calendars) -> tuple[date, date]:
    """Carry closed last days on: on `roll` for both dates, on `latest_roll` for the later one alone."""
    due = dates.roll(ends[0], calendars[rule.roll]) if rule.roll else ends[0]
    later = rule.latest_roll or rule.roll
    latest = dates.roll(ends[1], calendars[later]) if later else ends[1]
    return due, max(due, latest)


def _capped(cap: Cap, course: Course, day: date) -> date:
    return min(day, dates.add_days(course.received_on, cap.days))
