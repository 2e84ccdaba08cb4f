"""What must hold of every receipt, not only of the ones counted by hand."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.policy import (
    Clocks,
    Degree,
    Right,
    compute_clocks,
    extension_refusal,
    load_regime,
    verification_rule,
)
from shared.policy.dates import add_business_days

CCPA = load_regime("us-ca-ccpa")
PACIFIC = ZoneInfo("America/Los_Angeles")
IN_2027 = datetime(2027, 6, 1, 12, tzinfo=UTC)
EXTENDABLE = [right for right, rules in CCPA.rules.rights.items() if rules.clocks.extend]
UNVERIFIED = [right for right in CCPA.rules.rights if verification_rule(CCPA, right).degree is Degree.NONE]

days = st.dates(min_value=date(2027, 1, 1), max_value=date(2029, 9, 1))
instants = days.flatmap(
    lambda day: st.times().map(lambda moment: datetime.combine(day, moment, tzinfo=PACIFIC))
)
rights = st.sampled_from(list(CCPA.rules.rights))
patiently = settings(deadline=None)


@patiently
@given(days, st.sampled_from([10, 15]))
def test_the_safe_calendar_is_never_later_than_the_literal_nor_that_than_mon_fri(
    day: date, length: int
) -> None:
    safe, literal, mon_fri = (
        add_business_days(day, length, CCPA.calendars[name]) for name in ("safe", "civil_code", "mon_fri")
    )

    assert safe <= literal <= mon_fri


@patiently
@given(days, rights, st.times(), st.times())
def test_the_hour_within_a_pacific_day_moves_no_date(day: date, right: Right, one: time, other: time) -> None:
    first, second = (
        compute_clocks(CCPA, right, datetime.combine(day, moment, tzinfo=PACIFIC)) for moment in (one, other)
    )

    assert first == second


@patiently
@given(instants, rights, st.sampled_from(["UTC", "Pacific/Kiritimati", "Asia/Kolkata", "Pacific/Pago_Pago"]))
def test_the_zone_that_wrote_the_instant_moves_no_date(
    received_at: datetime, right: Right, zone: str
) -> None:
    elsewhere = received_at.astimezone(ZoneInfo(zone))

    assert compute_clocks(CCPA, right, elsewhere) == compute_clocks(CCPA, right, received_at)


@patiently
@given(instants, st.sampled_from(EXTENDABLE))
def test_an_extension_never_reaches_beyond_ninety_days_from_receipt(
    received_at: datetime, right: Right
) -> None:
    clocks = compute_clocks(CCPA, right, received_at)

    assert clocks.extend_to is not None
    assert clocks.extend_to.date - clocks.received_on == timedelta(days=90)
    assert clocks.due(extended=True) == clocks.extend_to


@patiently
@given(instants, st.sampled_from(EXTENDABLE), st.timedeltas(min_value=timedelta(0)))
def test_a_notice_after_the_forty_fifth_day_changes_nothing(
    received_at: datetime, right: Right, late_by: timedelta
) -> None:
    clocks = compute_clocks(CCPA, right, received_at)
    assert clocks.respond_by is not None
    late = clocks.respond_by.late_from + min(late_by, timedelta(days=36500))

    assert extension_refusal(clocks, handed_over_at=late, reasons=["two systems"]) == "too_late"


@patiently
@given(instants)
def test_a_failed_verification_moves_no_date(received_at: datetime) -> None:
    asked = compute_clocks(CCPA, Right.KNOW_SPECIFIC, received_at)
    downgraded = compute_clocks(CCPA, Right.KNOW_CATEGORIES, received_at)

    assert asked.model_copy(update={"right": Right.KNOW_CATEGORIES}) == downgraded


@patiently
@given(instants, rights)
def test_verification_ends_before_the_answer_is_due(received_at: datetime, right: Right) -> None:
    clocks = compute_clocks(CCPA, right, received_at)

    if clocks.verify_by:
        assert clocks.respond_by is not None
        assert clocks.received_on < clocks.verify_by.date < clocks.respond_by.date


@patiently
@given(instants, rights)
def test_the_safe_date_is_never_later_than_the_lawful_one(received_at: datetime, right: Right) -> None:
    clocks = compute_clocks(CCPA, right, received_at)
    dues = [clocks.acknowledge_by, clocks.respond_by, clocks.extend_to, clocks.effective_by, clocks.verify_by]

    assert all(due.date <= due.legal_latest for due in dues if due)
    assert all(due.late_from.astimezone(PACIFIC).time() == time.min for due in dues if due)


@patiently
@given(instants, rights)
def test_clocks_survive_the_journey_through_json(received_at: datetime, right: Right) -> None:
    clocks = compute_clocks(CCPA, right, received_at)

    assert Clocks.from_json(clocks.to_json()) == clocks
    assert len(clocks.model_dump_json().encode()) < 1024


@pytest.mark.parametrize("right", UNVERIFIED)
def test_a_right_that_forbids_verification_has_no_date_and_no_ending_for_it(right: Right) -> None:
    assert compute_clocks(CCPA, right, IN_2027).verify_by is None
    assert CCPA.right(right).on_unverified is None


def test_opting_out_and_limiting_forbid_verification() -> None:
    assert {Right.OPT_OUT, Right.LIMIT, Right.OPT_OUT_ADMT} <= set(UNVERIFIED)


@pytest.mark.parametrize("right", [Right.OPT_OUT, Right.LIMIT, Right.OPT_OUT_ADMT])
def test_an_opt_out_has_one_clock_only(right: Right) -> None:
    clocks = compute_clocks(CCPA, right, IN_2027)

    assert clocks.answer_by == clocks.effective_by
    assert (clocks.acknowledge_by, clocks.respond_by, clocks.extend_to) == (None, None, None)


def test_opting_in_again_has_no_clock() -> None:
    assert compute_clocks(CCPA, Right.OPT_IN, IN_2027).answer_by is None
