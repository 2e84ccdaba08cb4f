"""Counting days as statutes do: on local dates, first day excluded, never in sums of 24 hours.

Civ. Code 10, CCP 12 and Gov. Code 6800 exclude the first day and include the last;
a day runs from midnight to midnight (Gov. Code 6806), so lateness begins at the next local midnight.
"""

from collections.abc import Hashable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import count, islice
from typing import Protocol
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

ONE_DAY = timedelta(days=1)


class DateOutOfRangeError(ValueError):
    """The instant or the period leaves the dates that we can count."""


class Calendar(Hashable, Protocol):
    """A named set of days on which business is done."""

    def is_open(self, day: date) -> bool:
        """Tell whether the day counts."""


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """Give the date on which the instant falls in the regime's zone: the date of receipt."""
    if instant.utcoffset() is None:
        raise DateOutOfRangeError("an instant needs its offset from UTC")
    try:
        return instant.astimezone(zone).date()
    except OverflowError:
        raise DateOutOfRangeError("the instant lies outside the years 1 to 9999") from None


def late_from(due: date, zone: ZoneInfo) -> datetime:
    """Give the first instant, in UTC, that is no longer on time: local midnight after the due date."""
    return datetime.combine(add_days(due, 1), time.min, tzinfo=zone).astimezone(UTC)


def add_days(start: date, days: int) -> date:
    """Give the last day of a period of calendar days that begins after `start`."""
    try:
        return start + timedelta(days=days)
    except OverflowError:
        raise DateOutOfRangeError("the period leaves the years 1 to 9999") from None


def business_days(start: date, calendar: Calendar) -> Iterator[date]:
    """List the days that count after `start`, without end."""
    return (day for n in count(1) if calendar.is_open(day := start + timedelta(days=n)))


@lru_cache(maxsize=4096)
def add_business_days(start: date, days: int, calendar: Calendar) -> date:
    """Give the last day of a period of business days that begins after `start`."""
    return next(islice(business_days(start, calendar), days - 1, None))


def roll(day: date, calendar: Calendar) -> date:
    """Move a last day that is closed to the next open one (CCP 12a): lawful, but never scheduled on."""
    while not calendar.is_open(day):
        day = add_days(day, 1)
    return day


@lru_cache(maxsize=4096)
def corresponding_date(start: date, months: int) -> date:
    """Give the same day number months later, or that month's last day where it is missing (a deadline)."""
    try:
        return start + relativedelta(months=months)
    except (OverflowError, ValueError):
        raise DateOutOfRangeError("the period leaves the years 1 to 9999") from None


def not_before(start: date, months: int) -> date:
    """Give the first day after a wait of months; where the anniversary is missing, the day after it."""
    day = corresponding_date(start, months)
    return day if day.day == start.day else day + ONE_DAY
