"""A submission becomes one request, whatever is repeated, and starts the clocks that its right has."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from deploy.cli.request_views import show_list
from services.intake.answers import RequestStatus
from services.intake.submission import Problem
from shared.events.intake import RequestReceived, SubmissionRefused
from tests.support import facts
from tests.support.domain_driver import REQUEST, utc
from tests.support.front_desk import (
    NOW,
    UPSTREAM,
    Upstream,
    acceptances,
    driver,
    http_message,
    refusals,
    submission,
    upstream_submission,
)


def test_a_deletion_over_http_is_received_now_and_acknowledged() -> None:
    desk = driver()

    step = desk.deliver(http_message(submission()))

    [received] = step.bodies(RequestReceived)
    assert (received.business, received.regime, received.right) == ("cascadia", "us-ca-ccpa", "delete")
    assert received.received_at == NOW
    assert received.clocks == facts.clocks("delete", NOW)
    assert received.assertion is None
    [plan] = step.tasks
    assert (plan.key, plan.handler, plan.purpose) == ("notice:acknowledgement", "notice", "notice")
    assert received.clocks.acknowledge_by is not None
    assert plan.urgency == received.clocks.acknowledge_by.late_from
    assert desk.case.state == "received"


def test_claims_travel_sealed_and_normal_and_are_kept_for_notices() -> None:
    desk = driver()

    desk.deliver(
        http_message(submission(name="  Ada   Lovelace ", phone="(415) 555-2671", assertion="a.b.c"))
    )

    [sent] = desk.sent
    assert json.loads(sent.opened("claims")) == {
        "name": "Ada Lovelace",
        "email": "ada.lovelace@example.com",
        "phone": "+14155552671",
    }
    assert sent.opened("assertion") == b"a.b.c"
    assert desk.kept.keys() == {"claims"}


def test_nothing_that_names_a_person_lies_in_case_task_or_record() -> None:
    desk = driver()

    step = desk.deliver(http_message(submission(name="Ada Lovelace", customer_id="C-1042")))

    [sent] = step.sent
    written = (
        desk.case.model_dump_json()
        + json.dumps([dict(plan.body) for plan in step.tasks])
        + json.dumps(sent.row.headers)
        + sent.body.model_copy(update={"claims": ""}).model_dump_json()
    ).lower()
    assert not any(word in written for word in ("ada", "lovelace", "example.com", "c-1042"))


@pytest.mark.parametrize("right", ["opt_out", "limit"])
def test_a_right_without_an_acknowledgement_clock_is_not_acknowledged(right: str) -> None:
    desk = driver()

    step = desk.deliver(http_message(submission(right=right)))

    assert step.tasks == ()
    assert desk.case.clocks is not None
    assert desk.case.clocks.effective_by is not None


def test_the_same_submission_twice_is_one_request() -> None:
    desk = driver()
    desk.deliver(http_message(submission()))
    before = desk.case

    desk.now += timedelta(hours=3)
    again = desk.deliver(http_message(submission()))

    assert (again.status, again.sent, again.tasks, again.case) == ("applied", (), (), before)


def test_the_same_key_with_another_content_changes_nothing() -> None:
    desk = driver()
    desk.deliver(http_message(submission()))
    before = desk.case

    again = desk.deliver(http_message(submission(email="eve@example.com")))

    assert (again.status, again.refusal) == ("refused", "idempotency_key_reused")
    assert desk.case == before


def test_an_upstream_submission_is_received_when_its_channel_took_it_in() -> None:
    desk, upstream = driver(), Upstream()

    step = desk.deliver(upstream.submits())

    [received] = step.bodies(RequestReceived)
    assert received.received_at == utc("2026-02-02 18:00")
    assert received.channel == "phone"
    assert desk.case.source == UPSTREAM
    assert acceptances(step) == 1


def test_the_receipt_date_is_the_local_one_of_the_upstream_channel() -> None:
    desk, upstream = driver(utc("2026-04-01 12:00")), Upstream()
    late = upstream_submission(received_at="2026-03-31T23:30:00-07:00")

    [received] = desk.deliver(upstream.submits(late)).bodies(RequestReceived)

    assert received.clocks.received_on == date(2026, 3, 31)


@pytest.mark.parametrize(
    ("came_in", "day"),
    [
        ("2026-02-02T23:30:00-08:00", "2026-02-02"),
        ("2026-02-03T06:30:00Z", "2026-02-02"),
        ("2026-02-03T07:59:59Z", "2026-02-02"),
        ("2026-02-03T08:00:00Z", "2026-02-03"),
        ("2026-02-03T23:30:00Z", "2026-02-03"),
    ],
)
def test_staff_are_told_the_day_of_receipt_that_the_law_counts(
    came_in: str, day: str, capsys: pytest.CaptureFixture[str]
) -> None:
    desk, upstream = driver(utc("2026-02-04 12:00")), Upstream()
    desk.deliver(upstream.submits(upstream_submission(received_at=came_in)))

    status = RequestStatus.of(REQUEST, desk.case).model_dump(mode="json")
    show_list([status], as_json=False)

    assert status["received_on"] == day
    assert capsys.readouterr().out.splitlines()[1].split()[3] == day


@pytest.mark.parametrize(
    ("offset", "reason"),
    [
        (timedelta(minutes=5), None),
        (timedelta(minutes=5, microseconds=1), "received_in_future"),
        (-timedelta(days=45), None),
        (-timedelta(days=45, microseconds=1), "received_too_long_ago"),
    ],
)
def test_a_claimed_receipt_lies_between_45_days_ago_and_now(offset: timedelta, reason: str | None) -> None:
    now = utc("2026-06-02 19:00")
    desk, upstream = driver(now), Upstream()
    claimed = upstream_submission(received_at=(now + offset).isoformat())

    step = desk.deliver(upstream.submits(claimed))

    assert [fact.reason for fact in step.bodies(SubmissionRefused)] == ([reason] if reason else [])
    assert desk.case.state == ("refused" if reason else "received")
    assert desk.case.received_at is None or desk.case.received_at <= now


@pytest.mark.parametrize("right", ["shine_the_light", "restrict", "access_admt"])
def test_a_right_that_the_regime_does_not_offer_is_refused_with_those_that_it_does(right: str) -> None:
    desk, upstream = driver(), Upstream()

    step = desk.deliver(upstream.submits(upstream_submission(right=right)))

    [fact] = step.bodies(SubmissionRefused)
    assert (fact.reason, fact.field) == ("right_not_offered", "right")
    assert "delete" in fact.remedy
    assert right not in fact.remedy


def test_the_same_right_over_http_is_refused_to_its_caller() -> None:
    step = driver().deliver(http_message(submission(right="portability")))

    assert (step.status, step.refusal, step.sent) == ("refused", "right_not_offered", ())


def test_a_refused_submission_says_why_and_a_mended_one_under_its_id_is_taken() -> None:
    desk, upstream = driver(), Upstream()
    step = desk.deliver(upstream.submits(Problem("clear_claims", "claims", "encrypt them")))
    [fact] = step.bodies(SubmissionRefused)
    assert (fact.submission_source, fact.reason, fact.field, fact.remedy) == (
        UPSTREAM, "clear_claims", "claims", "encrypt them",
    )  # fmt: skip
    refused = desk.case

    mended = desk.deliver(upstream.submits()).case

    assert [case.state for case in (refused, mended)] == ["refused", "received"]


def test_a_bad_repetition_of_a_received_request_leaves_it_as_it_was() -> None:
    desk, upstream = driver(), Upstream()
    desk.deliver(upstream.submits())

    step = desk.deliver(upstream.submits(Problem("not_json", None, "send JSON")))

    assert len(step.bodies(SubmissionRefused)) == 1
    assert desk.case.state == "received"


def test_a_submission_id_with_another_content_is_refused_and_changes_nothing() -> None:
    desk, upstream = driver(), Upstream()
    desk.deliver(upstream.submits())
    before = desk.case

    step = desk.deliver(upstream.submits(upstream_submission(email="eve@example.com")))

    assert refusals(step) == ["submission_id_reused"]
    assert desk.case == before
    assert step.bodies(RequestReceived) == []


def test_a_command_delivered_twice_is_answered_once() -> None:
    desk, upstream = driver(), Upstream()
    message = upstream.submits()

    assert desk.deliver(message).status == "applied"
    assert desk.deliver(message).status == "duplicate"

    assert len(desk.bodies(RequestReceived)) == 1


@pytest.mark.parametrize(
    ("channel", "chosen", "covered"),
    [
        ("web", {}, "2025-02-02"),
        ("phone", {}, "2022-01-01"),
        ("mail", {}, "2022-01-01"),
        ("web", {"collected_from": "2022-01-01"}, "2022-01-01"),
        ("web", {"collected_from": "2024-05-01", "collected_to": "2024-12-31"}, "2024-05-01"),
    ],
)
def test_know_covers_twelve_months_unless_more_was_chosen_or_no_choice_was_offered(
    channel: str, chosen: dict[str, Any], covered: str
) -> None:
    desk = driver()

    desk.deliver(http_message(submission(right="know", channel=channel, **chosen)))

    claims = json.loads(desk.sent[0].opened("claims"))
    assert claims["collected_from"] == covered
    assert claims.get("collected_to") == chosen.get("collected_to")
