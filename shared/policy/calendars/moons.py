"""The two Californian holidays that follow the moon, computed well enough for a draft that a person confirms."""

from datetime import UTC, date, datetime, timedelta, timezone
from math import radians, sin
from typing import Final

CHINA: Final = timezone(timedelta(hours=8))
INDIA: Final = timezone(timedelta(hours=5, minutes=30))
# Mean new moon number 0 (2000-01-06) and the mean month, after Meeus, Astronomical Algorithms, chapter 49.
_FIRST: Final = datetime(2000, 1, 6, 14, 20, 36, tzinfo=UTC)
_MONTH: Final = 29.530588861
_SUNSET: Final = 18


def lunar_new_year(year: int) -> date:
    """The new moon between January 21 and February 20, on the calendar of China (Gov. Code 6700)."""
    days = (moon.astimezone(CHINA).date() for moon in _new_moons(year))
    return next(day for day in days if date(year, 1, 21) <= day <= date(year, 2, 20))


def diwali(year: int) -> date:
    """The evening before the new moon that falls between October 17 and November 15, in India."""
    for moon in _new_moons(year):
        local = moon.astimezone(INDIA)
        day = local.date() if local.hour >= _SUNSET else local.date() - timedelta(days=1)
        if date(year, 10, 17) <= day <= date(year, 11, 14):
            return day
    raise ValueError(f"no new moon found for Diwali of {year}")


def _new_moons(year: int) -> list[datetime]:
    first = round((year - 2000) * 12.3685) - 1
    return [_new_moon(number) for number in range(first, first + 15)]


def _new_moon(number: int) -> datetime:
    """A true new moon to within some minutes: the mean one with the largest periodic terms."""
    sun = radians(2.5534 + 29.10535670 * number)
    moon = radians(201.5643 + 385.81693528 * number)
    latitude = radians(160.7108 + 390.67050284 * number)
    correction = (
        -0.40720 * sin(moon)
        + 0.17241 * sin(sun)
        + 0.01608 * sin(2 * moon)
        + 0.01039 * sin(2 * latitude)
        + 0.00739 * sin(moon - sun)
        - 0.00514 * sin(moon + sun)
        + 0.00208 * sin(2 * sun)
    )
    # About seventy seconds lie between the dynamical time of the formula and the clock's.
    return _FIRST + timedelta(days=_MONTH * number + correction) - timedelta(seconds=70)
