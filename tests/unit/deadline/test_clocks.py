"""Warnings on the policy's ladder, misses stated once, and misses taken back."""

from datetime import timedelta

import pytest

from shared.events.deadline import DeadlineApproaching, DeadlineMissed, DeadlineMissWithdrawn
from shared.events.intake import NoticeKind, SubmissionRefused
from tests.support import facts
from tests.support.watched import Watched

A_MOMENT = timedelta(microseconds=1)


def test_a_request_that_nobody_answers_is_warned_about_rung_by_rung_and_missed_once() -> None:
    watched = Watched("delete")
    watched.receive()

    watched.pass_until(watched.at(days=120))

    assert watched.stated == [
        "acknowledge in 3",
        "acknowledge in 1",
        "acknowledge missed",
        "respond in 20",
        "respond in 10",
        "respond in 5",
        "respond in 2",
        "respond in 1",
        "respond missed",
    ]
    assert watched.driver.wake_at is None


def test_an_opt_out_has_its_own_ladder_and_no_acknowledgement() -> None:
    watched = Watched("opt_out")
    watched.receive()

    watched.pass_until(watched.at(days=60))

    assert watched.stated == ["effective in 7", "effective in 3", "effective in 1", "effective missed"]


def test_a_right_without_a_date_has_nothing_to_warn_about() -> None:
    watched = Watched("opt_in")
    watched.receive()

    assert watched.driver.wake_at is None
    assert watched.stated == []


def test_after_an_outage_there_is_one_warning_and_not_three() -> None:
    watched = Watched()
    watched.hear_in_time()
    watched.pass_until(watched.at(days=40))

    watched.sleep_until(watched.due.late_from - timedelta(hours=3))

    assert watched.stated == ["respond in 20", "respond in 10", "respond in 5", "respond in 0"]


def test_a_warning_given_late_in_the_night_before_the_next_rung_is_that_one_too() -> None:
    watched = Watched()
    watched.hear_in_time()
    watched.pass_until(watched.at(days=30))
    # Day 40 in California has begun, and the rung of five days before comes at nine.
    watched.sleep_until(watched.due.late_from - timedelta(days=5, hours=23))

    watched.pass_until(watched.due.late_from - timedelta(days=4, hours=1))

    assert watched.stated == ["respond in 20", "respond in 5"]


def test_a_warning_that_slept_past_its_date_is_a_miss_and_no_warning() -> None:
    watched = Watched()
    watched.hear_in_time()

    watched.sleep_until(watched.at(days=100))

    assert watched.stated == ["respond missed"]


def test_a_request_heard_weeks_late_is_warned_about_at_once() -> None:
    watched = Watched()
    watched.driver.now = watched.at(days=43)

    step = watched.receive()

    assert [fact.days_left for fact in step.bodies(DeadlineApproaching)] == [2]
    assert [fact.clock for fact in step.bodies(DeadlineMissed)] == ["acknowledge"]


@pytest.mark.parametrize("kind", ["acknowledgement", "answer", "denial"])
def test_an_acknowledgement_is_not_owed_beside_an_answer(kind: NoticeKind) -> None:
    watched = Watched()
    watched.receive()

    watched.hear(facts.notice_sent(kind, watched.at(days=9)))
    watched.pass_until(watched.at(days=20))

    assert "acknowledge missed" not in watched.stated


@pytest.mark.parametrize("kind", ["verification_code", "extension"])
def test_other_notices_are_no_acknowledgement(kind: NoticeKind) -> None:
    watched = Watched()
    watched.receive()

    watched.hear(facts.notice_sent(kind, watched.at(days=1)))
    watched.pass_until(watched.at(days=20))

    assert "acknowledge missed" in watched.stated


def test_the_last_instant_is_in_time_and_the_next_one_is_not() -> None:
    watched = Watched()
    watched.hear_in_time()

    watched.pass_until(watched.due.late_from - A_MOMENT)
    assert watched.driver.bodies(DeadlineMissed) == []
    watched.pass_until(watched.due.late_from)

    [missed] = watched.driver.bodies(DeadlineMissed)
    assert (missed.clock, missed.due) == ("respond", watched.due)


def test_a_miss_is_taken_back_when_the_notice_turns_out_to_have_been_in_time() -> None:
    watched = Watched()
    watched.hear_in_time()
    watched.pass_until(watched.due.late_from)
    in_time = watched.due.late_from - A_MOMENT

    step = watched.hear(facts.notice_sent("answer", in_time))

    [taken_back] = step.bodies(DeadlineMissWithdrawn)
    assert (taken_back.clock, taken_back.handed_over_at) == ("respond", in_time)
    assert watched.case.missed == ()


def test_a_miss_stands_when_the_notice_was_late_as_well() -> None:
    watched = Watched()
    watched.hear_in_time()
    watched.pass_until(watched.due.late_from)

    step = watched.hear(facts.notice_sent("answer", watched.due.late_from))

    assert step.bodies(DeadlineMissWithdrawn) == []
    assert watched.case.missed == ("respond",)


def test_a_late_answer_that_is_heard_before_the_clock_rings_is_a_miss_all_the_same() -> None:
    watched = Watched()
    watched.hear_in_time()
    watched.driver.now = watched.due.late_from + timedelta(hours=1)

    step = watched.notice("answer")

    assert [fact.clock for fact in step.bodies(DeadlineMissed)] == ["respond"]


def test_who_takes_a_request_back_is_owed_nothing_more() -> None:
    watched = Watched()
    watched.receive()
    watched.hear(facts.withdrawn(watched.at(days=1)))

    watched.pass_until(watched.at(days=100))

    assert watched.stated == []
    assert watched.driver.wake_at is None


def test_a_withdrawal_that_came_after_the_work_was_done_leaves_the_answer_owed() -> None:
    watched = Watched()
    watched.hear_in_time()
    watched.hear(facts.withdrawn(watched.at(days=1)))
    watched.hear(facts.verified())
    watched.hear(facts.fulfilled(resolution="complete"))

    watched.pass_until(watched.at(days=100))

    assert watched.stated[-1] == "respond missed"


def test_a_fact_about_something_else_changes_nothing() -> None:
    watched = Watched()
    watched.receive()
    before = watched.case

    step = watched.hear(
        SubmissionRefused(submission_source="upstream/crm", reason="no_claims", remedy="send them")
    )

    assert (step.case, step.sent) == (before, ())
