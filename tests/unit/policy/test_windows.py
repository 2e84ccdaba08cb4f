"""Warnings, waits and retention follow the policy's own numbers."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.policy import (
    Right,
    ask_again_from,
    compute_clocks,
    key_kept_through,
    load_regime,
    log_kept_through,
    warning_times,
)
from shared.policy.rules import Resolution

PACIFIC = ZoneInfo("America/Los_Angeles")
CCPA = load_regime("us-ca-ccpa")
RECEIVED_AT = datetime(2026, 2, 2, 11, tzinfo=PACIFIC)
DELETE = compute_clocks(CCPA, Right.DELETE, RECEIVED_AT)


@pytest.mark.parametrize(
    ("opted_out_on", "not_before"),
    [(date(2026, 1, 31), date(2027, 1, 31)), (date(2028, 2, 29), date(2029, 3, 1))],
)
@pytest.mark.parametrize("right", [Right.OPT_OUT, Right.LIMIT, Right.OPT_OUT_ADMT])
def test_nobody_is_asked_to_opt_back_in_for_twelve_months(
    right: Right, opted_out_on: date, not_before: date
) -> None:
    assert ask_again_from(CCPA, right, opted_out_on) == not_before


def test_other_rights_know_no_wait() -> None:
    assert ask_again_from(CCPA, Right.DELETE, date(2026, 1, 31)) is None


def test_the_request_log_is_kept_for_twenty_four_months_from_the_last_event() -> None:
    assert log_kept_through(CCPA, date(2026, 3, 19)) == date(2028, 3, 19)


@pytest.mark.parametrize(
    ("regime", "resolution", "days"),
    [
        ("us-ca-ccpa", "complete", 35),
        ("us-ca-ccpa", "partial", 35),
        ("us-ca-ccpa", "nothing_found", 30),
        ("us-ca-ccpa", "denied", 10),
        ("us-ca-ccpa", "withdrawn", 10),
        ("us-ca-ccpa", "duplicate", 10),
        ("us-va-vcdpa", "complete", 35),
        ("us-va-vcdpa", "denied", 60),
    ],
)
def test_a_request_key_is_kept_for_the_longest_that_its_ending_needs_in_its_regime(
    regime: str, resolution: Resolution, days: int
) -> None:
    closed_on = date(2026, 3, 19)

    assert key_kept_through(load_regime(regime), closed_on, resolution) == closed_on + timedelta(days=days)


def test_warnings_come_in_order_at_nine_in_the_morning_before_their_date() -> None:
    warnings = warning_times(CCPA, DELETE)

    assert [warning.at for warning in warnings] == sorted(warning.at for warning in warnings)
    assert {warning.at.astimezone(PACIFIC).hour for warning in warnings} == {9}
    assert warnings[0].clock == "acknowledge"
    assert warnings[-1].at == datetime(2026, 3, 18, 9, tzinfo=PACIFIC)


def test_after_an_extension_the_ladder_leads_to_the_extended_date() -> None:
    last = warning_times(CCPA, DELETE, extended=True)[-1]

    assert (last.clock, last.days_before) == ("respond", 1)
    assert last.at == datetime(2026, 5, 2, 9, tzinfo=PACIFIC)


def test_an_opt_out_is_warned_of_by_its_only_clock() -> None:
    opt_out = compute_clocks(CCPA, Right.OPT_OUT, RECEIVED_AT)

    assert {warning.clock for warning in warning_times(CCPA, opt_out)} == {"effective"}


def test_a_right_without_clocks_has_no_warnings() -> None:
    assert warning_times(CCPA, compute_clocks(CCPA, Right.OPT_IN, RECEIVED_AT)) == ()
