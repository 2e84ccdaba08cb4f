"""A checker that was written apart, from the numbers of the laws and by walking days, comes to the same dates."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.policy import Clocks, Fact, load_regime, parse_right, reckon, regime_names
from shared.policy.clockwork.happenings import Event, Happening
from shared.policy.clockwork.outlook import look_ahead
from tests.support.almanac import DUES, LAWS, Dates, Story, bank, expected, first_late_instant, gov, judicial

patiently = settings(deadline=None, max_examples=200)
every_law = st.sampled_from(sorted(LAWS))
# Late enough that every regime is in force, early enough that no period leaves the holiday tables.
days = st.dates(min_value=date(2027, 5, 3), max_value=date(2029, 8, 31))
zones = st.sampled_from(
    ["UTC", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Kolkata", "Europe/London", "Pacific/Pago_Pago"]
)
instants = st.builds(
    lambda day, moment, zone: datetime.combine(day, moment, tzinfo=ZoneInfo(zone)), days, st.times(), zones
)


early_instants = instants.filter(lambda instant: instant.date() < date(2029, 3, 1))


def _agree(clocks: Clocks, opinion: Dates) -> None:
    dues = {name: due for name in DUES if (due := getattr(clocks, name)) is not None}

    assert clocks.received_on == opinion.received_on
    assert {name: due.date for name, due in dues.items()} == opinion.scheduled
    assert {name: due.legal_latest for name, due in dues.items()} == opinion.latest


def test_the_checker_knows_every_right_of_every_regime() -> None:
    ours = {(name, str(right)) for name in regime_names() for right in load_regime(name).rules.rights}

    assert ours == set(LAWS)


@patiently
@given(every_law, instants)
def test_every_date_of_every_regime_is_the_one_that_the_checker_walks_to(
    law: tuple[str, str], received_at: datetime
) -> None:
    regime, right = law

    clocks = reckon(load_regime(regime), parse_right(right), received_at)

    _agree(clocks, expected(regime, right, Story(received_at)))


@patiently
@given(every_law, instants)
def test_lateness_begins_at_the_instant_that_the_checker_finds(
    law: tuple[str, str], received_at: datetime
) -> None:
    regime, right = law

    clocks = reckon(load_regime(regime), parse_right(right), received_at)

    for name in DUES:
        due = getattr(clocks, name)
        assert due is None or due.late_from == first_late_instant(due.date, LAWS[law].zone)


@patiently
@given(
    st.sampled_from(["know_specific", "delete"]),
    early_instants,
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 30)), max_size=2),
    st.none() | st.integers(0, 25),
)
def test_pauses_and_restarts_come_to_the_dates_of_the_checker(
    right: str, received_at: datetime, pauses: list[tuple[int, int]], came_after: int | None
) -> None:
    zone = ZoneInfo(LAWS["uk-gdpr", right].zone)
    received_on = received_at.astimezone(zone).date()
    came = None if came_after is None else received_on + timedelta(days=came_after)
    spans = _apart(received_on, pauses)
    story = Story(received_at, pauses=spans, came=came)

    outlook = look_ahead(load_regime("uk-gdpr"), parse_right(right), received_at, events=_events(spans, came))

    _agree(outlook.clocks, expected("uk-gdpr", right, story))


def _apart(received_on: date, pauses: list[tuple[int, int]]) -> list[tuple[date, date]]:
    """Pauses that follow one another; fewer than 28 days run before the last, so that all are in time."""
    spans, end = [], received_on - timedelta(days=1)
    for after, length in pauses:
        first = end + timedelta(days=after % 12 + 1)
        end = first + timedelta(days=length)
        spans.append((first, end))
    return spans


def _events(spans: list[tuple[date, date]], came: date | None) -> list[Event]:
    events = [Event(Happening.IDENTITY_RECEIVED, came)] if came else []
    for first, last in spans:
        events += [Event(Happening.CLARIFICATION_ASKED, first), Event(Happening.CLARIFICATION_RECEIVED, last)]
    return events


@patiently
@given(st.sampled_from(["know_specific", "delete"]), instants, st.integers(0, 40))
def test_a_nevada_health_request_runs_from_its_authentication(
    right: str, received_at: datetime, after: int
) -> None:
    regime = load_regime("us-nv-health")
    came = received_at.astimezone(regime.zone).date() + timedelta(days=after)

    outlook = look_ahead(
        regime, parse_right(right), received_at, events=[Event(Happening.AUTHENTICATED, came)]
    )

    _agree(outlook.clocks, expected(regime.id, right, Story(received_at, came=came)))


@patiently
@given(early_instants)
def test_shine_the_light_gives_150_days_where_it_came_to_another_address(received_at: datetime) -> None:
    regime = load_regime("us-ca-shine-the-light")

    clocks = reckon(regime, parse_right("shine_the_light"), received_at, {Fact.UNDESIGNATED_ADDRESS})

    assert clocks.respond_by is not None
    assert clocks.respond_by.date - clocks.received_on == timedelta(days=150)


@pytest.mark.parametrize("year", [2026, 2027, 2028, 2029])
def test_the_tables_hold_the_days_that_the_checkers_rules_give(year: int) -> None:
    california = load_regime("us-ca-ccpa").calendars
    england = load_regime("uk-gdpr").calendars["bank_holidays"]
    whole = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]

    assert {day for day in whole if gov(day)} == {d for d in california["mon_fri"].holidays if d.year == year}
    assert {day for day in whole if judicial(day)} == {
        d for d in california["judicial"].holidays if d.year == year
    }
    weekdays = [day for day in whole if day.weekday() < 5]
    assert {day for day in weekdays if bank(day)} == {d for d in england.holidays if d.year == year}


def test_a_time_at_the_end_of_the_day_is_still_of_that_day() -> None:
    last_second = datetime.combine(date(2027, 7, 4), time(23, 59, 59), tzinfo=ZoneInfo("America/Los_Angeles"))

    assert expected("us-ca-ccpa", "delete", Story(last_second)).received_on == date(2027, 7, 4)
