"""Days are counted on local dates: clock changes, leap days and closed days included."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from shared.policy import DateOutOfRangeError, load_regime
from shared.policy.dates import (
    add_business_days,
    add_days,
    corresponding_date,
    late_from,
    local_date,
    not_before,
    roll,
)

PACIFIC = ZoneInfo("America/Los_Angeles")
CCPA = load_regime("us-ca-ccpa")
JUDICIAL = CCPA.calendars["judicial"]


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-04-01T06:30:00+00:00", date(2026, 3, 31)),
        ("2026-04-01T06:59:59.999999+00:00", date(2026, 3, 31)),
        ("2026-04-01T07:00:00+00:00", date(2026, 4, 1)),
        ("2026-01-01T07:59:59+00:00", date(2025, 12, 31)),
        ("2026-01-01T08:00:00+00:00", date(2026, 1, 1)),
    ],
)
def test_the_date_of_receipt_is_the_pacific_date(instant: str, day: date) -> None:
    assert local_date(datetime.fromisoformat(instant), PACIFIC) == day


@pytest.mark.parametrize(
    ("day", "instant"),
    [
        (date(2026, 3, 7), datetime(2026, 3, 8, 8, tzinfo=UTC)),
        (date(2026, 3, 8), datetime(2026, 3, 9, 7, tzinfo=UTC)),
        (date(2026, 10, 31), datetime(2026, 11, 1, 7, tzinfo=UTC)),
        (date(2026, 11, 1), datetime(2026, 11, 2, 8, tzinfo=UTC)),
    ],
)
def test_lateness_begins_at_local_midnight_on_both_sides_of_a_clock_change(
    day: date, instant: datetime
) -> None:
    assert late_from(day, PACIFIC) == instant


@pytest.mark.parametrize(
    ("day", "rolled"),
    [
        (date(2026, 3, 1), date(2026, 3, 2)),
        (date(2026, 3, 6), date(2026, 3, 6)),
        (date(2026, 2, 14), date(2026, 2, 17)),
        (date(2026, 11, 26), date(2026, 11, 30)),
        (date(2027, 7, 3), date(2027, 7, 6)),
    ],
)
def test_a_last_day_that_is_closed_rolls_to_the_next_open_one(day: date, rolled: date) -> None:
    assert roll(day, JUDICIAL) == rolled


@pytest.mark.parametrize(
    ("start", "months", "day"),
    [
        (date(2027, 1, 31), 1, date(2027, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 9, 3), 1, date(2026, 10, 3)),
    ],
)
def test_a_deadline_in_months_ends_on_the_same_number_or_the_months_last_day(
    start: date, months: int, day: date
) -> None:
    assert corresponding_date(start, months) == day


@pytest.mark.parametrize(
    ("start", "months", "day"),
    [
        (date(2026, 1, 31), 12, date(2027, 1, 31)),
        (date(2028, 2, 29), 12, date(2029, 3, 1)),
        (date(2026, 12, 31), 2, date(2027, 3, 1)),
    ],
)
def test_a_wait_in_months_never_ends_early(start: date, months: int, day: date) -> None:
    assert not_before(start, months) == day


def test_a_year_without_its_holidays_is_refused_and_not_guessed() -> None:
    with pytest.raises(DateOutOfRangeError, match="2030 must be added"):
        add_business_days(date(2029, 12, 28), 10, CCPA.calendars["safe"])


def test_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(DateOutOfRangeError, match="offset"):
        local_date(datetime(2026, 1, 1), PACIFIC)  # noqa: DTZ001 - the very mistake


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-12:00"])
def test_an_instant_at_the_end_of_time_is_refused(instant: str) -> None:
    with pytest.raises(DateOutOfRangeError, match="1 to 9999"):
        local_date(datetime.fromisoformat(instant), ZoneInfo("UTC"))


def test_a_period_beyond_the_last_year_is_refused() -> None:
    with pytest.raises(DateOutOfRangeError, match="1 to 9999"):
        add_days(date.max, 1)
