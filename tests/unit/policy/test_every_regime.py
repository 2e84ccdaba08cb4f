"""What must hold of every receipt under every regime, offered or not."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.policy import Clocks, Degree, load_regime, parse_right, reckon, regime_names, warning_times
from shared.policy.clockwork.periods import Immediately
from shared.policy.rules import RightRules
from tests.support.almanac import LAWS

patiently = settings(deadline=None)
days = st.dates(min_value=date(2027, 5, 3), max_value=date(2029, 8, 30))
every_law = st.sampled_from(sorted(LAWS))
EVERY_RIGHT = [(name, right) for name in regime_names() for right in load_regime(name).rules.rights]


def _reckoned(law: tuple[str, str], day: date, moment: time) -> Clocks:
    regime = load_regime(law[0])
    return reckon(regime, parse_right(law[1]), datetime.combine(day, moment, tzinfo=regime.zone))


@patiently
@given(every_law, days, st.times(), st.times())
def test_the_hour_within_a_day_of_the_laws_zone_moves_no_date(
    law: tuple[str, str], day: date, one: time, other: time
) -> None:
    assert _reckoned(law, day, one) == _reckoned(law, day, other)


@patiently
@given(every_law, days)
def test_the_last_instant_of_a_day_and_the_first_of_the_next_are_two_receipts(
    law: tuple[str, str], day: date
) -> None:
    last, first = _reckoned(law, day, time.max), _reckoned(law, day + timedelta(days=1), time.min)

    assert (first.received_on - last.received_on).days == 1


@patiently
@given(every_law, days)
def test_a_later_receipt_is_never_due_earlier(law: tuple[str, str], day: date) -> None:
    one, other = (_reckoned(law, day + timedelta(days=n), time(12)) for n in (0, 1))

    for name in ("acknowledge_by", "respond_by", "effective_by"):
        earlier, later = getattr(one, name), getattr(other, name)
        assert earlier is None or (earlier.date <= later.date and earlier.late_from <= later.late_from)


@patiently
@given(every_law, days, st.times())
def test_dates_stand_in_their_order(law: tuple[str, str], day: date, moment: time) -> None:
    clocks = _reckoned(law, day, moment)
    dues = [
        due
        for due in (clocks.acknowledge_by, clocks.respond_by, clocks.extend_to, clocks.effective_by)
        if due
    ]

    assert all(clocks.received_on <= due.date <= due.legal_latest for due in dues)
    if clocks.extend_to and clocks.respond_by:
        assert clocks.respond_by.date < clocks.extend_to.date
    if clocks.verify_by and clocks.respond_by:
        assert clocks.received_on <= clocks.verify_by.date <= clocks.respond_by.date


@patiently
@given(every_law, days, st.times())
def test_lateness_begins_with_the_midnight_after_the_date(
    law: tuple[str, str], day: date, moment: time
) -> None:
    zone = load_regime(law[0]).zone
    clocks = _reckoned(law, day, moment)
    last = timedelta(microseconds=1)

    for due in (clocks.acknowledge_by, clocks.respond_by, clocks.extend_to, clocks.effective_by):
        if due:
            assert due.late_from.astimezone(zone).date() == due.date + timedelta(days=1)
            assert (due.late_from.astimezone(UTC) - last).astimezone(zone).date() == due.date


@patiently
@given(every_law, days)
def test_every_regime_warns_before_its_dates_and_never_after(law: tuple[str, str], day: date) -> None:
    clocks = _reckoned(law, day, time(12))

    for rung in warning_times(load_regime(law[0]), clocks):
        due = {"acknowledge": clocks.acknowledge_by}.get(rung.clock, clocks.answer_by)
        assert due is not None
        assert rung.at < due.late_from


def _rules(name: str, right: str) -> RightRules:
    return load_regime(name).right(parse_right(right))


@pytest.mark.parametrize(("name", "right"), EVERY_RIGHT)
def test_a_right_that_is_not_verified_has_no_date_to_prove_it_by(name: str, right: str) -> None:
    clocks = _reckoned((name, right), date(2028, 3, 1), time(12))
    rules = _rules(name, right)
    proved = rules.verification.degree is not Degree.NONE

    assert (clocks.verify_by is not None) == (proved and clocks.respond_by is not None)


@pytest.mark.parametrize(("name", "right"), EVERY_RIGHT)
def test_every_clock_is_at_least_as_old_as_its_right(name: str, right: str) -> None:
    rules = _rules(name, right)
    named = (rules.clocks.acknowledge, rules.clocks.respond, rules.clocks.extend, rules.clocks.effective)

    assert all(rule.effective.first <= rules.effective.first for rule in named if rule)


def test_only_brazils_simple_access_is_due_at_once() -> None:
    at_once = [
        (name, str(right))
        for name, right in EVERY_RIGHT
        if isinstance(_rules(name, right).clocks.respond, Immediately)
    ]

    assert at_once == [("br-lgpd", "know_categories")]


def test_the_two_sides_of_the_date_line_receive_one_instant_on_two_days() -> None:
    instant = datetime(2027, 6, 1, 10, 30, tzinfo=UTC)
    there = instant.astimezone(ZoneInfo("Pacific/Kiritimati")).date()
    here = reckon(load_regime("us-ca-ccpa"), parse_right("delete"), instant).received_on

    assert (here, there) == (date(2027, 6, 1), date(2027, 6, 2))
