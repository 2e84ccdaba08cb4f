"""What may change under an open request and must move nothing: clocks that disagree, the policy, time-zone data."""

from datetime import date, timedelta
from typing import Any

import pytest

from shared.events.commands import SendNotice
from shared.events.deadline import DeadlineExtended, DeadlineMissed, DeadlineMissWithdrawn, RequestClosed
from shared.policy import Clocks, DueDate
from tests.support import facts
from tests.support.domain_driver import utc
from tests.support.watched import Watched

A_SECOND, AN_HOUR = timedelta(seconds=1), timedelta(hours=1)


def _with(clocks: Clocks, **more: Any) -> Clocks:
    return clocks.model_copy(update=more)


def _begun(clocks: Clocks) -> Watched:
    """A request whose dates were computed by somebody else, or long ago."""
    watched = Watched()
    watched.hear(facts.received(clocks=clocks, policy_version=clocks.policy_version))
    watched.acknowledge()
    watched.clocks = clocks
    return watched


def test_a_miss_stays_stated_where_another_instances_clock_is_a_moment_behind() -> None:
    watched = Watched()
    watched.hear_in_time()
    watched.pass_until(watched.due.late_from)
    watched.driver.now = watched.due.late_from - A_SECOND

    watched.hear(facts.notice_sent("verification_code", watched.at(days=3)))
    watched.sleep_until(watched.due.late_from + A_SECOND)

    assert len(watched.driver.bodies(DeadlineMissed)) == 1
    assert watched.driver.bodies(DeadlineMissWithdrawn) == []
    assert watched.case.missed == ("respond",)


def test_a_miss_of_the_extended_date_stays_stated_when_a_clock_steps_back() -> None:
    watched = Watched()
    watched.hear_in_time()
    watched.ask_extension()
    watched.notice("extension")
    watched.pass_until(watched.extend_to.late_from)
    watched.driver.now = watched.extend_to.late_from - A_SECOND

    watched.hear(facts.notice_sent("verification_code", watched.at(days=3)))

    assert watched.driver.bodies(DeadlineMissWithdrawn) == []
    assert watched.case.missed == ("respond",)


def test_a_notice_from_a_clock_that_is_ahead_of_ours_is_judged_by_its_own_time() -> None:
    watched = Watched()
    watched.hear_in_time()
    watched.driver.now = watched.due.late_from - A_SECOND

    step = watched.hear(facts.notice_sent("answer", watched.due.late_from + A_SECOND))

    assert step.bodies(DeadlineMissed) == []
    watched.pass_until(watched.due.late_from)
    assert [fact.clock for fact in watched.driver.bodies(DeadlineMissed)] == ["respond"]


def test_dates_stay_those_of_the_policy_that_the_request_began_with() -> None:
    now = facts.clocks()
    assert now.respond_by is not None
    day = date(2026, 3, 4)
    older = DueDate(date=day, late_from=utc("2026-03-05 08:00"), legal_latest=day, cite="an older text")
    watched = _begun(_with(now, respond_by=older, policy_version="000000000000"))

    watched.pass_until(older.late_from)
    watched.hear(facts.verified())
    watched.hear(facts.fulfilled())
    watched.notice("answer")

    [missed] = watched.driver.bodies(DeadlineMissed)
    [closed] = watched.driver.bodies(RequestClosed)
    assert missed.due == older
    assert not closed.in_time
    assert '"policy_version":"000000000000"' in str(watched.driver.tasks["certificate"].body["payload"])


@pytest.mark.parametrize("hours", [1, -1])
def test_after_new_time_zone_data_the_earlier_end_of_the_day_counts(hours: int) -> None:
    """The stored instant is from the old data; the day ends by the law of today, or as was stated before."""
    now = facts.clocks()
    assert now.respond_by is not None
    true_end = now.respond_by.late_from
    stored = true_end + hours * AN_HOUR
    watched = _begun(_with(now, respond_by=now.respond_by.model_copy(update={"late_from": stored})))
    end = min(true_end, stored)

    watched.pass_until(end - A_SECOND)
    assert watched.driver.bodies(DeadlineMissed) == []
    watched.pass_until(end)

    [missed] = watched.driver.bodies(DeadlineMissed)
    assert (missed.due.date, missed.due.late_from) == (now.respond_by.date, end)


def test_after_new_time_zone_data_an_extensions_notice_must_beat_the_earlier_end() -> None:
    now = facts.clocks()
    assert now.respond_by is not None
    later = now.respond_by.model_copy(update={"late_from": now.respond_by.late_from + AN_HOUR})
    watched = _begun(_with(now, respond_by=later))
    watched.pass_until(watched.at(days=30))

    step = watched.ask_extension()
    watched.notice("extension", now.respond_by.late_from)

    assert step.bodies(SendNotice)[0].send_by == now.respond_by.late_from
    assert watched.driver.bodies(DeadlineExtended) == []
    assert watched.ask_extension().refusal is None


@pytest.mark.parametrize(
    ("received", "due", "end"),
    [
        ("2028-02-29 20:00", "2028-04-14", "2028-04-15 07:00"),
        ("2028-01-15 20:00", "2028-02-29", "2028-03-01 08:00"),
        ("2026-01-23 07:30", "2026-03-08", "2026-03-09 07:00"),
        ("2026-09-18 07:30", "2026-11-02", "2026-11-03 08:00"),
        ("2026-11-17 07:59", "2026-12-31", "2027-01-01 08:00"),
        ("2026-11-17 08:00", "2027-01-01", "2027-01-02 08:00"),
        ("2026-11-01 08:30", "2026-12-16", "2026-12-17 08:00"),
        ("2026-11-01 09:30", "2026-12-16", "2026-12-17 08:00"),
    ],
)
def test_leap_days_clock_changes_and_year_ends_are_missed_at_the_end_of_their_own_day(
    received: str, due: str, end: str
) -> None:
    watched = Watched(received_at=utc(received))
    watched.hear_in_time()

    watched.pass_until(utc(end) - A_SECOND)
    assert watched.driver.bodies(DeadlineMissed) == []
    watched.pass_until(utc(end))

    [missed] = watched.driver.bodies(DeadlineMissed)
    assert (str(missed.due.date), missed.due.late_from) == (due, utc(end))


def test_three_days_away_say_what_happened_once_and_claim_no_time_that_nobody_had() -> None:
    away = timedelta(days=3)
    missed, answered, near = Watched(), Watched(), Watched()
    for watched in (missed, answered, near):
        watched.hear_in_time()
    missed.pass_until(missed.due.late_from - AN_HOUR)
    answered.pass_until(answered.due.late_from - AN_HOUR)
    near.pass_until(near.at(days=33))
    before = [len(watched.stated) for watched in (missed, answered, near)]

    missed.sleep_until(missed.driver.now + away)
    # What intake says of its notice lay on the topic: it was handed over while we were away, and in time.
    handed_over_at = answered.due.late_from - A_SECOND
    answered.driver.now += away
    answered.hear(facts.notice_sent("answer", handed_over_at))
    near.sleep_until(near.driver.now + away)

    said = [w.stated[n:] for w, n in zip((missed, answered, near), before, strict=True)]
    assert said == [["respond missed"], [], ["respond in 9"]]
