"""Every day of a period is told with its reason, and what is told adds up to the date."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.policy import Right, load_regime, parse_right
from shared.policy.clockwork.explaining import Day
from shared.policy.clockwork.happenings import Event, Happening
from shared.policy.clockwork.outlook import Outlook, look_ahead
from tests.support.almanac import LAWS

CCPA, GDPR, UK = (load_regime(name) for name in ("us-ca-ccpa", "eu-gdpr", "uk-gdpr"))
PACIFIC, LONDON = ZoneInfo("America/Los_Angeles"), ZoneInfo("Europe/London")


def _numbered(days: tuple[Day, ...]) -> list[int]:
    return [day.number for day in days if day.number is not None]


def _reasons(days: tuple[Day, ...]) -> dict[date, str]:
    return {day.on: day.why for day in days if day.number is None}


def _paused() -> Outlook:
    received_at = datetime(2026, 9, 3, 9, tzinfo=LONDON)
    asked = Event(Happening.CLARIFICATION_ASKED, date(2026, 9, 7))
    answered = Event(Happening.CLARIFICATION_RECEIVED, date(2026, 9, 14))
    return look_ahead(UK, Right.KNOW_SPECIFIC, received_at, events=[asked, answered])


def test_ten_business_days_leave_out_sundays_and_safe_holidays_by_name() -> None:
    outlook = look_ahead(CCPA, Right.DELETE, datetime(2026, 1, 15, 10, tzinfo=PACIFIC))

    days = outlook.explained()["acknowledge_by"]

    assert _numbered(days) == list(range(1, 11))
    assert _reasons(days) == {
        date(2026, 1, 15): "the day of receipt does not count",
        date(2026, 1, 18): "Sunday",
        date(2026, 1, 19): "Dr. Martin Luther King, Jr. Day",
        date(2026, 1, 25): "Sunday",
    }


def test_forty_five_days_count_every_day_and_do_not_move_over_a_sunday() -> None:
    outlook = look_ahead(CCPA, Right.DELETE, datetime(2026, 1, 15, 10, tzinfo=PACIFIC))

    days = outlook.explained()["respond_by"]

    assert _numbered(days) == list(range(1, 46))
    assert days[-1] == Day(date(2026, 3, 1), 45, "calendar day 45, the last one")


def test_a_month_that_ends_on_a_weekend_says_over_which_days_it_is_carried() -> None:
    outlook = look_ahead(GDPR, Right.DELETE, datetime(2027, 1, 31, 12, tzinfo=ZoneInfo("Europe/Brussels")))

    last, carried = outlook.explained()["respond_by"][-2:]

    assert last.why == "calendar day 28, the last one; closed (Sunday), so the end is carried on"
    assert carried == Day(date(2027, 3, 1), None, "after the last day, the next open day: the period ends")


def test_days_on_which_the_clock_stood_are_told() -> None:
    days = _paused().explained()["respond_by"]

    stood = [day for day, why in _reasons(days).items() if why == "the clock stood: not counted"]
    assert (stood[0], stood[-1], len(stood)) == (date(2026, 9, 7), date(2026, 9, 14), 8)


def test_days_before_a_period_that_begins_later_are_told() -> None:
    came = Event(Happening.IDENTITY_RECEIVED, date(2026, 9, 10))
    outlook = look_ahead(UK, Right.DELETE, datetime(2026, 9, 3, 9, tzinfo=LONDON), events=[came])

    waiting = _reasons(outlook.explained()["respond_by"])

    assert waiting[date(2026, 9, 10)] == "the period begins on 2026-09-10, whose own day does not count"
    assert len([day for day in waiting if day <= date(2026, 9, 10)]) == 8


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(sorted(LAWS)),
    st.dates(min_value=date(2027, 5, 3), max_value=date(2029, 8, 30)),
    st.times(),
)
def test_the_days_that_are_told_follow_one_another_up_to_the_date(
    law: tuple[str, str], day: date, moment: time
) -> None:
    regime = load_regime(law[0])
    received_at = datetime.combine(day, moment, tzinfo=regime.zone)
    outlook = look_ahead(regime, parse_right(law[1]), received_at)

    for name, days in outlook.explained().items():
        assert [day.on.toordinal() for day in days] == list(
            range(outlook.clocks.received_on.toordinal(), getattr(outlook.clocks, name).date.toordinal() + 1)
        )
        assert _numbered(days) == list(range(1, len(_numbered(days)) + 1))
