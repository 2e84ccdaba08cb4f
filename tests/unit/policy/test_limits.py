"""How often a right must be answered, what an appeal's dates are, and when what recurs is due again."""

from datetime import date

import pytest

from shared.policy import Right, load_regime
from shared.policy.clockwork.limits import appeal_dates, due_again_on, limit_of

CCPA, SHINE, DROP, COLORADO = (
    load_regime(name) for name in ("us-ca-ccpa", "us-ca-shine-the-light", "us-ca-delete-act", "us-co-cpa")
)


@pytest.mark.parametrize(
    ("earlier", "reached", "again_from"),
    [
        ([], False, None),
        ([date(2026, 3, 1)], False, None),
        ([date(2026, 3, 1), date(2026, 6, 1)], True, date(2027, 3, 1)),
        ([date(2026, 2, 1), date(2026, 6, 1)], False, None),
        ([date(2026, 2, 2), date(2026, 6, 1)], True, date(2027, 2, 2)),
        ([date(2026, 3, 1), date(2026, 6, 1), date(2026, 9, 1)], True, date(2027, 6, 1)),
        ([date(2026, 3, 1), date(2027, 2, 2)], False, None),
    ],
)
def test_know_need_not_be_answered_a_third_time_in_twelve_months(
    *, earlier: list[date], reached: bool, again_from: date | None
) -> None:
    limit = limit_of(CCPA, Right.KNOW_SPECIFIC, date(2027, 2, 1), earlier)

    assert limit is not None
    assert (limit.reached, limit.again_from) == (reached, again_from)
    assert limit.cite == "Civ. Code 1798.130(b)"


def test_twelve_months_from_a_leap_day_end_in_the_persons_favour() -> None:
    earlier = [date(2028, 2, 29), date(2028, 2, 29)]

    before = limit_of(CCPA, Right.KNOW_SPECIFIC, date(2029, 2, 27), earlier)
    after = limit_of(CCPA, Right.KNOW_SPECIFIC, date(2029, 2, 28), earlier)

    assert before is not None
    assert after is not None
    assert (before.reached, after.reached) == (True, False)


@pytest.mark.parametrize(
    ("received_on", "reached"),
    [(date(2026, 12, 31), True), (date(2027, 1, 1), False), (date(2026, 1, 2), True)],
)
def test_shine_the_light_is_answered_once_in_a_calendar_year(*, received_on: date, reached: bool) -> None:
    limit = limit_of(SHINE, Right.SHINE_THE_LIGHT, received_on, [date(2026, 1, 1)])

    assert limit is not None
    assert limit.reached is reached


def test_a_deletion_may_be_asked_for_as_often_as_one_likes() -> None:
    assert limit_of(CCPA, Right.DELETE, date(2026, 2, 1), [date(2026, 1, 1)] * 9) is None


def test_an_appeal_in_colorado_has_45_days_and_60_more() -> None:
    clocks = appeal_dates(COLORADO, date(2026, 2, 2))

    assert clocks is not None
    assert clocks.respond_by is not None
    assert clocks.extend_to is not None
    assert (clocks.respond_by.date, clocks.extend_to.date) == (date(2026, 3, 19), date(2026, 5, 18))


def test_california_creates_no_appeal() -> None:
    assert appeal_dates(CCPA, date(2026, 2, 2)) is None


def test_a_complaint_in_the_united_kingdom_is_acknowledged_only_since_june_2026() -> None:
    uk = load_regime("uk-gdpr")

    assert appeal_dates(uk, date(2026, 6, 18)) is None
    assert appeal_dates(uk, date(2026, 6, 19)) is not None


def test_a_broker_fetches_the_next_list_within_45_days() -> None:
    assert due_again_on(DROP, date(2026, 8, 1)) == date(2026, 9, 15)
    assert due_again_on(CCPA, date(2026, 8, 1)) is None
