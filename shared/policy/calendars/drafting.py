"""A first draft of a year's holidays, by the rules that the statutes give; a person confirms it before it counts."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Final

from dateutil.easter import easter

from shared.policy.calendars.holidays import Holiday
from shared.policy.calendars.moons import diwali, lunar_new_year

MONDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = 0, 3, 4, 5, 6
ONE_DAY: Final = timedelta(days=1)
BOTH: Final = ("gov", "judicial", "safe")
STATE: Final = ("gov", "judicial")
GOV: Final = ("gov",)
BANK: Final = ("bank",)


class UnknownPlaceError(ValueError):
    """No rules for that place's holidays are known here."""

    def __init__(self) -> None:
        super().__init__(f"place must be one of {', '.join(DRAFTS)}")


def draft(place: str, year: int) -> tuple[Holiday, ...]:
    """Give a place's holidays of a year in the order of their dates."""
    if place not in DRAFTS:
        raise UnknownPlaceError
    return tuple(sorted(DRAFTS[place](year), key=lambda one: one.day))


def rows(holidays: tuple[Holiday, ...]) -> str:
    """Write the holidays as the rows of a calendar file."""
    return "\n".join(_row(one) for one in holidays) + "\n"


def _row(one: Holiday) -> str:
    name = f'"{one.name}"' if set(one.name) & set("',") else one.name
    moon = ", computed: true" if one.computed else ""
    return f"  - {{date: {one.day}, name: {name}, columns: [{', '.join(one.columns)}]{moon}}}"


def _holiday(day: date, name: str, columns: tuple[str, ...], *, computed: bool = False) -> Holiday:
    return Holiday(date=day, name=name, columns=columns, computed=computed)


def _california(year: int) -> Iterator[Holiday]:
    """Gov. Code 6700 and 6701, CCP 135."""
    fixed = list(_california_fixed(year))
    yield from fixed
    yield from _moved(year, fixed)
    yield _holiday(_nth(year, 1, MONDAY, 3), "Dr. Martin Luther King, Jr. Day", BOTH)
    yield _holiday(_nth(year, 2, MONDAY, 3), "third Monday in February", BOTH)
    yield _holiday(_last(year, 5, MONDAY), "Memorial Day", BOTH)
    yield _holiday(_nth(year, 9, MONDAY, 1), "Labor Day", BOTH)
    yield _holiday(_nth(year, 9, FRIDAY, 4), "Native American Day", STATE)
    yield _holiday(_nth(year, 10, MONDAY, 2), "second Monday in October (Columbus Day)", ("gov", "safe"))
    thanksgiving = _nth(year, 11, THURSDAY, 4)
    yield _holiday(thanksgiving, "Thanksgiving Day", BOTH)
    yield _holiday(thanksgiving + ONE_DAY, "day after Thanksgiving", ("judicial",))
    yield _holiday(lunar_new_year(year), "Lunar New Year", GOV, computed=True)
    yield _holiday(diwali(year), "Diwali", GOV, computed=True)


def _california_fixed(year: int) -> Iterator[Holiday]:
    yield _holiday(date(year, 1, 1), "New Year's Day", BOTH)
    yield _holiday(date(year, 2, 12), "Lincoln Day", STATE)
    yield _holiday(date(year, 3, 31), "Farmworkers Day", STATE)
    yield _holiday(date(year, 4, 24), "Genocide Remembrance Day", GOV)
    yield _holiday(date(year, 6, 19), "Juneteenth", BOTH)
    yield _holiday(date(year, 7, 4), "Independence Day", BOTH)
    yield _holiday(date(year, 9, 9), "Admission Day", GOV)
    yield _holiday(date(year, 11, 11), "Veterans Day", BOTH)
    yield _holiday(date(year, 12, 25), "Christmas Day", BOTH)


_STAYS: Final = {"Genocide Remembrance Day", "Juneteenth"}


def _moved(year: int, fixed: list[Holiday]) -> Iterator[Holiday]:
    """Gov. Code 6701: the Monday after a Sunday, for all but two; the Friday before a Saturday's Veterans Day."""
    for one in fixed:
        kept = tuple(column for column in one.columns if column != "safe")
        if one.day.weekday() == SUNDAY and one.name not in _STAYS:
            yield _holiday(one.day + ONE_DAY, f"Monday after {one.name} on a Sunday", kept)
    if date(year, 11, 11).weekday() == SATURDAY:
        yield _holiday(date(year, 11, 10), "Friday before Veterans Day on a Saturday", STATE)


def _european_union(year: int) -> Iterator[Holiday]:
    """The days that every Member State keeps."""
    yield _holiday(date(year, 1, 1), "New Year's Day", ("shared",))
    yield _holiday(date(year, 12, 25), "Christmas Day", ("shared",))


def _england_and_wales(year: int) -> Iterator[Holiday]:
    """The Banking and Financial Dealings Act 1971, with substitute days for those on a weekend."""
    sunday = easter(year)
    yield _holiday(sunday - 2 * ONE_DAY, "Good Friday", BANK)
    yield _holiday(sunday + ONE_DAY, "Easter Monday", BANK)
    yield _holiday(_nth(year, 5, MONDAY, 1), "Early May bank holiday", BANK)
    yield _holiday(_last(year, 5, MONDAY), "Spring bank holiday", BANK)
    yield _holiday(_last(year, 8, MONDAY), "Summer bank holiday", BANK)
    taken: set[date] = set()
    winter = ((date(year, 1, 1), "New Year's Day"), *_christmas(year))
    for day, name in winter:
        kept = _next_free(day, taken)
        taken.add(kept)
        yield _holiday(kept, name if kept == day else f"{name} (substitute)", BANK)


def _christmas(year: int) -> tuple[tuple[date, str], ...]:
    """Boxing Day keeps its own day before Christmas Day looks for a substitute."""
    christmas, boxing = (date(year, 12, 25), "Christmas Day"), (date(year, 12, 26), "Boxing Day")
    return (boxing, christmas) if christmas[0].weekday() == SUNDAY else (christmas, boxing)


def _next_free(day: date, taken: set[date]) -> date:
    while day.weekday() >= SATURDAY or day in taken:
        day += ONE_DAY
    return day


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _last(year: int, month: int, weekday: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() - weekday) % 7)


DRAFTS: Final[dict[str, Callable[[int], Iterator[Holiday]]]] = {
    "eu": _european_union,
    "gb-eaw": _england_and_wales,
    "us-ca": _california,
}
