"""The dated tables agree with the statute's own rules, year by year, and reach far enough."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from shared.clock import SystemClock
from shared.policy.calendars.drafting import DRAFTS, UnknownPlaceError, draft
from shared.policy.calendars.holidays import CalendarTable
from shared.policy.calendars.moons import diwali, lunar_new_year
from shared.policy.regimes import parse_calendars, places, table_of


def _table(place: str) -> CalendarTable:
    return parse_calendars(table_of(place))


TABLE = _table("us-ca")
MONDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = 0, 3, 4, 5, 6
MOVED_FROM_SUNDAY = ((1, 1), (2, 12), (3, 31), (7, 4), (9, 9), (11, 11), (12, 25))
JUDICIAL_LACKS = {"Lunar New Year", "Genocide Remembrance Day", "Admission Day", "Diwali"}

every_place = pytest.mark.parametrize("place", places())
every_year = pytest.mark.parametrize("year", TABLE.years)


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())


def _both_states(year: int) -> set[date]:
    """Days that California and the United States both keep."""
    fixed = {date(year, month, day) for month, day in ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))}
    mondays = {_nth(year, 1, MONDAY, 3), _nth(year, 2, MONDAY, 3), _nth(year, 9, MONDAY, 1)}
    floating = {_last_monday_of_may(year), _nth(year, 10, MONDAY, 2), _nth(year, 11, THURSDAY, 4)}
    return fixed | mondays | floating


def _moved(year: int) -> Iterator[date]:
    """The days that Gov. Code 6701 gives in place of a Sunday, and of Veterans Day on a Saturday."""
    for month, day in MOVED_FROM_SUNDAY:
        if date(year, month, day).weekday() == SUNDAY:
            yield date(year, month, day) + timedelta(days=1)
    if date(year, 11, 11).weekday() == SATURDAY:
        yield date(year, 11, 10)


def _gov(year: int) -> set[date]:
    """Gov. Code 6700 and 6701 but for the two holidays that follow the moon."""
    own = {date(year, month, day) for month, day in ((2, 12), (3, 31), (4, 24), (9, 9))}
    return _both_states(year) | own | {_nth(year, 9, FRIDAY, 4)} | set(_moved(year))


def _column(year: int, column: str, *, computed: bool) -> set[date]:
    rows = (row for row in TABLE.holidays if row.day.year == year and column in row.columns)
    return {row.day for row in rows if computed or not row.computed}


@every_year
def test_the_state_holidays_are_those_of_the_government_code(year: int) -> None:
    assert _column(year, "gov", computed=False) == _gov(year)


@every_year
def test_each_year_has_its_lunar_new_year_and_its_diwali(year: int) -> None:
    computed = [row.name for row in TABLE.holidays if row.day.year == year and row.computed]

    assert computed == ["Lunar New Year", "Diwali"]


@every_year
def test_the_safe_holidays_are_the_eleven_that_both_calendars_keep(year: int) -> None:
    safe = _column(year, "safe", computed=True)

    assert safe == _both_states(year)
    assert len(safe) == 11


@every_year
def test_the_judicial_holidays_add_the_day_after_thanksgiving_and_lack_five(year: int) -> None:
    judicial = _column(year, "judicial", computed=True)
    lacking = {row.day for row in TABLE.holidays if row.name in JUDICIAL_LACKS} | {_nth(year, 10, MONDAY, 2)}
    lacking |= {day + timedelta(days=1) for day in lacking if (day.month, day.day) == (9, 9)}

    assert judicial == _gov(year) - lacking | {_nth(year, 11, THURSDAY, 4) + timedelta(days=1)}


@every_year
def test_the_safe_column_lies_within_the_state_holidays(year: int) -> None:
    assert _column(year, "safe", computed=True) <= _column(year, "gov", computed=True)


@every_place
def test_the_table_holds_next_year_too(place: str) -> None:
    following = SystemClock().now().year + 1

    assert following in _table(place).years, f"run habeas policy calendars --year {following}"


@every_place
def test_the_rows_stand_in_the_order_of_their_dates(place: str) -> None:
    days = [row.day for row in _table(place).holidays]

    assert days == sorted(days)


@every_place
def test_a_drafted_year_is_the_one_that_was_confirmed(place: str) -> None:
    table = _table(place)

    for year in table.years:
        assert draft(place, year) == tuple(row for row in table.holidays if row.day.year == year)


def test_every_place_that_has_a_table_can_be_drafted() -> None:
    assert set(places()) == set(DRAFTS)


@pytest.mark.parametrize(
    ("year", "new_year", "lights"),
    [
        (2019, date(2019, 2, 5), date(2019, 10, 27)),
        (2020, date(2020, 1, 25), date(2020, 11, 14)),
        (2023, date(2023, 1, 22), date(2023, 11, 12)),
        (2030, date(2030, 2, 3), date(2030, 10, 26)),
        (2033, date(2033, 1, 31), date(2033, 10, 22)),
    ],
)
def test_holidays_that_follow_the_moon_are_drafted_on_their_known_dates(
    year: int, new_year: date, lights: date
) -> None:
    assert (lunar_new_year(year), diwali(year)) == (new_year, lights)


@pytest.mark.parametrize(
    ("year", "winter"),
    [
        (2021, [date(2021, 1, 1), date(2021, 12, 27), date(2021, 12, 28)]),
        (2022, [date(2022, 1, 3), date(2022, 12, 26), date(2022, 12, 27)]),
        (2023, [date(2023, 1, 2), date(2023, 12, 25), date(2023, 12, 26)]),
    ],
)
def test_a_bank_holiday_on_a_weekend_has_its_substitute(year: int, winter: list[date]) -> None:
    assert [row.day for row in draft("gb-eaw", year) if row.day.month in {1, 12}] == winter


def test_a_place_without_rules_is_not_drafted() -> None:
    with pytest.raises(UnknownPlaceError, match="place must be one of eu, gb-eaw, us-ca"):
        draft("mars", 2030)
