"""Closing: fulfilled and answered, certified, and one day forgotten."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from services.deadline.domain import CERTIFICATE, DESTROY_KEY, DeadlineDomain
from shared.canonical import sha256_hex
from shared.events.fulfillment import Resolution, SystemOutcome
from shared.events.intake import NoticeKind
from shared.machine.decision import Context, Go, Stop, Wait
from tests.support import facts
from tests.support.domain_driver import utc
from tests.support.watched import Watched

ANSWERED: list[tuple[Resolution, NoticeKind]] = [
    ("complete", "answer"),
    ("partial", "answer"),
    ("nothing_found", "answer"),
    ("duplicate", "answer"),
    ("denied", "denial"),
]


def _fulfilled(resolution: Resolution = "complete") -> Watched:
    watched = Watched()
    watched.hear_in_time()
    watched.hear(facts.verified())
    watched.hear(facts.fulfilled(resolution=resolution))
    return watched


@pytest.mark.parametrize(("resolution", "kind"), ANSWERED)
def test_a_request_closes_when_it_is_fulfilled_and_answered(resolution: Resolution, kind: NoticeKind) -> None:
    watched = _fulfilled(resolution)
    assert watched.closings == []

    step = watched.notice(kind, watched.at(days=1))

    [closed] = watched.closings
    assert (closed.right, closed.resolution, closed.in_time) == ("delete", resolution, True)
    assert (closed.answered_at, closed.closed_at) == (watched.at(days=1), watched.driver.now)
    assert [plan.key for plan in step.tasks] == [CERTIFICATE]
    assert watched.driver.is_closed


def test_a_withdrawn_request_closes_with_the_withdrawals_notice() -> None:
    watched = Watched()
    watched.hear_in_time()
    watched.hear(facts.withdrawn())
    watched.hear(facts.fulfilled(resolution="withdrawn"))

    watched.notice("answer")
    assert watched.closings == []
    watched.notice("withdrawal")

    assert [closed.resolution for closed in watched.closings] == ["withdrawn"]


def test_a_downgraded_request_closes_as_what_was_asked() -> None:
    watched = Watched("know_specific")
    watched.hear_in_time()
    watched.hear(facts.verified("know_categories", conclusion="downgraded"))
    watched.hear(facts.fulfilled("know_categories", "partial"))

    watched.notice("answer")

    assert [closed.right for closed in watched.closings] == ["know_specific"]
    assert _certificate(watched)["verification"] == "downgraded"


@pytest.mark.parametrize(("offset", "in_time"), [(-1, True), (0, False), (3600, False)])
def test_in_time_means_handed_over_before_the_first_late_instant(offset: int, *, in_time: bool) -> None:
    watched = _fulfilled()
    handed_over_at = watched.due.late_from + timedelta(seconds=offset)
    watched.pass_until(watched.due.late_from + timedelta(hours=2))

    watched.notice("answer", handed_over_at)

    assert [closed.in_time for closed in watched.closings] == [in_time]
    assert ("respond" in watched.case.missed) is not in_time


def test_a_right_without_a_date_is_always_in_time() -> None:
    watched = Watched("opt_in")
    watched.receive()
    watched.hear(facts.verified("opt_in", conclusion="not_needed"))
    watched.hear(facts.fulfilled("opt_in"))

    watched.notice("answer", watched.at(days=300))

    assert [closed.in_time for closed in watched.closings] == [True]


def test_an_answer_after_the_first_date_is_in_time_under_an_extension_once_that_is_on_its_topic() -> None:
    watched = Watched()
    watched.hear_in_time()
    watched.hear(facts.verified())
    watched.pass_until(watched.at(days=36))
    watched.ask_extension()
    watched.notice("extension")
    watched.pass_until(watched.at(days=60))
    watched.hear(facts.fulfilled())
    watched.notice("answer")
    assert watched.closings == []

    watched.read_back_extension()

    assert [closed.in_time for closed in watched.closings] == [True]
    assert "dsar.deadline.extended.v1" in [event["type"] for event in _certificate(watched)["events"]]
    assert _certificate(watched)["extended_to"]["date"] == "2026-05-03"


def test_a_late_answer_waits_for_word_of_the_extension_that_may_have_made_it_timely() -> None:
    watched = _late_answer_with_an_extension_under_way()
    assert watched.closings == []

    watched.notice("extension", watched.due.late_from - timedelta(seconds=1))
    watched.read_back_extension()

    assert [closed.in_time for closed in watched.closings] == [True]
    assert watched.case.missed == ()


def test_an_answer_in_time_closes_whatever_becomes_of_an_extension() -> None:
    watched = _fulfilled_after_asking_to_extend()

    watched.notice("answer")

    assert [closed.in_time for closed in watched.closings] == [True]
    assert watched.case.extension is None


@pytest.mark.parametrize("word", ["none", "refused"])
def test_it_does_not_wait_for_ever(word: str) -> None:
    watched = _late_answer_with_an_extension_under_way()

    if word == "refused":
        watched.intake_refuses()
    else:
        watched.pass_until(watched.due.late_from + timedelta(days=1))

    assert [closed.in_time for closed in watched.closings] == [False]
    assert watched.case.missed == ("respond",)


def _late_answer_with_an_extension_under_way() -> Watched:
    watched = _fulfilled_after_asking_to_extend()
    watched.pass_until(watched.due.late_from + timedelta(hours=1))
    watched.notice("answer")
    return watched


def _fulfilled_after_asking_to_extend() -> Watched:
    watched = Watched()
    watched.hear_in_time()
    watched.hear(facts.verified())
    watched.pass_until(watched.at(days=36))
    watched.ask_extension()
    watched.hear(facts.fulfilled())
    return watched


def test_closed_once_means_closed() -> None:
    watched = _fulfilled()
    watched.notice("answer")
    before = watched.case

    watched.notice("answer")
    watched.hear(facts.withdrawn())
    watched.hear(facts.verified())
    watched.hear(facts.fulfilled(resolution="partial"))

    assert len(watched.closings) == 1
    assert watched.case.closing == before.closing


def test_a_miss_is_taken_back_even_after_closing() -> None:
    watched = Watched()
    watched.receive()
    watched.pass_until(watched.at(days=20))
    watched.hear(facts.verified())
    watched.hear(facts.fulfilled())
    watched.notice("answer")
    assert watched.case.missed == ("acknowledge",)

    watched.notice("acknowledgement", watched.at(days=5))

    assert watched.stated[-1] == "acknowledge not missed"


def test_the_certificate_names_the_evidence_of_a_person_who_completed_a_system_s_task() -> None:
    by_person = SystemOutcome(system="mailer", outcome="done", receipt_digest="d" * 64, evidence="SUP-4711")
    watched = Watched()
    watched.hear_in_time()
    watched.hear(facts.verified())
    watched.hear(facts.fulfilled(systems=(by_person,)))

    step = watched.notice("answer", watched.at(days=1))

    (plan,) = [one for one in step.tasks if one.key == CERTIFICATE]
    (system,) = json.loads(plan.body["payload"])["systems"]
    assert system == {
        "system": "mailer",
        "outcome": "done",
        "receipt_digest": "d" * 64,
        "evidence": "SUP-4711",
    }


def test_the_certificate_says_what_the_case_heard_and_nothing_else() -> None:
    watched = _fulfilled()
    watched.notice("answer", watched.at(days=1))

    said = _certificate(watched)

    [closed] = watched.closings
    assert sha256_hex(_payload(watched)) == closed.evidence_digest
    assert said["chain_heads"] == {
        "intake": "a" * 64,
        "verification": "c" * 64,
        "fulfillment": "e" * 64,
        "deadline": closed.audit_head,
    }
    assert {event["type"] for event in said["events"]} == {
        "dsar.request.received.v1",
        "dsar.request.verified.v1",
        "dsar.request.fulfilled.v1",
    }
    assert said["systems"][0] == {"system": "crm", "outcome": "done", "receipt_digest": "d" * 64}
    assert [notice["kind"] for notice in said["notices"]] == ["acknowledgement", "answer"]
    assert said["respond_by"]["date"] == "2026-03-19"


def test_the_certificate_of_an_opt_out_names_the_date_that_it_kept() -> None:
    watched = Watched("opt_out")
    watched.receive()
    watched.hear(facts.verified("opt_out", conclusion="not_needed"))
    watched.hear(facts.fulfilled("opt_out"))
    watched.notice("answer")

    said = _certificate(watched)

    assert said["respond_by"] is None
    assert said["effective_by"]["date"] == str(watched.due.date)


def test_a_closed_case_drops_what_stands_in_its_certificate() -> None:
    watched = _fulfilled()
    watched.notice("answer")

    case = watched.case

    assert (case.events, case.heads, case.warned) == ((), {}, {})
    assert case.open_tasks == (CERTIFICATE,)


def test_the_key_is_destroyed_when_nothing_may_need_it_any_more() -> None:
    watched = _fulfilled()
    watched.notice("answer")
    watched.driver.finish(CERTIFICATE, payload_sha256="f" * 64)
    # Closed 2026-02-02; the last re-check is 35 days later, and that whole Pacific day still counts.
    assert str(watched.driver.wake_at) == "2026-03-10 07:00:00+00:00"

    watched.pass_until(watched.at(days=40))
    assert watched.case.key == "destroying"
    assert watched.driver.wake_at is None
    watched.driver.finish(DESTROY_KEY)
    watched.driver.finish(DESTROY_KEY)

    assert (watched.case.key, watched.case.open_tasks) == ("destroyed", ())


def test_tasks_are_permitted_only_to_a_closed_case_and_in_their_time() -> None:
    watched = _fulfilled()
    open_case = watched.case
    watched.notice("answer")
    closing = watched.case.closing
    assert closing is not None

    before = DeadlineDomain().permit(open_case, CERTIFICATE, "document", Context(watched.driver.now, "", b""))
    certificate, too_early = _permitted(watched, CERTIFICATE), _permitted(watched, DESTROY_KEY)
    watched.driver.now = closing.key_until

    assert before == Stop("not_closed")
    assert certificate == Go()
    assert too_early == Wait(closing.key_until, "key_still_needed")
    assert _permitted(watched, DESTROY_KEY) == Go()


def _permitted(watched: Watched, key: str) -> Go | Stop | Wait:
    return DeadlineDomain().permit(watched.case, key, "document", Context(watched.driver.now, "", b""))


def _payload(watched: Watched) -> bytes:
    return str(watched.driver.tasks[CERTIFICATE].body["payload"]).encode()


def _certificate(watched: Watched) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(_payload(watched))
    return said


@pytest.mark.parametrize(
    ("answered", "resolution", "again"),
    [
        ("2026-02-09 17:00", "complete", "2027-02-09"),
        ("2026-02-09 17:00", "nothing_found", "2027-02-09"),
        ("2028-03-01 07:59", "partial", "2029-03-01"),
        ("2028-03-01 08:00", "complete", "2029-03-01"),
        ("2026-02-09 17:00", "denied", None),
    ],
)
def test_after_an_opt_out_nobody_is_asked_again_for_a_year_from_the_answer(
    answered: str, resolution: Resolution, again: str | None
) -> None:
    watched = Watched("opt_out", utc(answered) - timedelta(days=3))
    watched.receive()
    watched.hear(facts.verified("opt_out", conclusion="not_needed"))
    watched.hear(facts.fulfilled("opt_out", resolution=resolution))

    watched.driver.now = utc(answered)
    watched.notice("answer")

    [closed] = watched.closings
    assert closed.ask_again_from == (date.fromisoformat(again) if again else None)


def test_a_deletion_starts_no_wait() -> None:
    watched = Watched()
    watched.hear_in_time()
    watched.hear(facts.verified())
    watched.hear(facts.fulfilled())

    watched.notice("answer")

    assert watched.closings[0].ask_again_from is None
