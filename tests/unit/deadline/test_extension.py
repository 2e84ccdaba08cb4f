"""The once-only extension (Civ. Code 1798.130(a)(2)(A)): asked for, told in time, or not at all."""

from datetime import timedelta

import pytest

from shared.events.commands import SendNotice
from shared.events.deadline import DeadlineExtended, DeadlineMissWithdrawn
from shared.events.intake import NoticeExpired, NoticeFailed
from shared.events.message import Event
from tests.support import facts
from tests.support.watched import REASONS, Watched

DAY_36 = 36


def _watched_until(days: float, right: str = "delete") -> Watched:
    watched = Watched(right)
    watched.hear_in_time()
    watched.pass_until(watched.at(days=days))
    return watched


def test_asking_moves_nothing_yet_and_has_the_notice_sent_before_the_first_date() -> None:
    watched = _watched_until(DAY_36)

    step = watched.ask_extension()

    [notice] = step.bodies(SendNotice)
    assert (notice.kind, notice.reasons) == ("extension", REASONS)
    assert (notice.send_by, notice.due) == (watched.due.late_from, watched.extend_to)
    assert step.status == "applied"
    assert step.bodies(DeadlineExtended) == []


def test_the_date_moves_when_the_notice_was_handed_over() -> None:
    watched = _watched_until(DAY_36)
    watched.ask_extension()

    step = watched.notice("extension")

    [moved] = step.bodies(DeadlineExtended)
    assert str(moved.respond_by.date) == "2026-05-03"
    assert (moved.reasons, moved.notice_handed_over_at) == (REASONS, watched.driver.now)


def test_the_answers_warnings_begin_again_on_the_later_date() -> None:
    watched = _watched_until(40)
    watched.ask_extension()
    watched.notice("extension")

    watched.pass_until(watched.at(days=120))

    assert watched.stated == [
        "respond in 20",
        "respond in 10",
        "respond in 5",
        "extended",
        "respond in 20",
        "respond in 10",
        "respond in 5",
        "respond in 2",
        "respond in 1",
        "respond missed",
    ]


def test_a_notice_handed_over_in_time_counts_however_late_we_hear_of_it() -> None:
    watched = _watched_until(DAY_36)
    watched.ask_extension()
    watched.pass_until(watched.due.late_from + timedelta(days=3))
    assert watched.stated[-1] == "respond missed"
    in_time = watched.due.late_from - timedelta(seconds=1)

    step = watched.notice("extension", in_time)

    [taken_back] = step.bodies(DeadlineMissWithdrawn)
    assert (taken_back.clock, taken_back.handed_over_at) == ("respond", in_time)
    assert len(step.bodies(DeadlineExtended)) == 1
    assert watched.case.missed == ()


def test_a_notice_handed_over_too_late_extends_nothing() -> None:
    watched = _watched_until(DAY_36)
    watched.ask_extension()
    watched.pass_until(watched.due.late_from)

    step = watched.notice("extension", watched.due.late_from)

    assert step.sent == ()
    assert not watched.case.extended
    assert watched.case.missed == ("respond",)


def test_the_extended_date_can_be_missed_too_once() -> None:
    watched = _watched_until(DAY_36)
    watched.ask_extension()
    watched.pass_until(watched.due.late_from + timedelta(days=1))
    watched.notice("extension", watched.due.late_from - timedelta(seconds=1))

    watched.pass_until(watched.at(days=120))

    assert [word for word in watched.stated if "missed" in word] == [
        "respond missed",
        "respond not missed",
        "respond missed",
    ]


@pytest.mark.parametrize("how", ["expired", "failed", "refused"])
def test_another_extension_may_be_asked_when_the_notice_did_not_go_out(how: str) -> None:
    watched = _watched_until(DAY_36)
    watched.ask_extension()
    assert watched.ask_extension().refusal == "extension_pending"

    if how == "refused":
        watched.intake_refuses()
    else:
        watched.hear(_not_sent(how, watched))

    assert watched.ask_extension().status == "applied"


def test_an_extension_that_somebody_posted_in_time_counts_though_no_mail_could_take_it() -> None:
    watched = _watched_until(DAY_36)
    watched.ask_extension()
    watched.hear(NoticeFailed(kind="extension", reason="no_address"))

    step = watched.notice("extension")

    assert [moved.reasons for moved in step.bodies(DeadlineExtended)] == [REASONS]
    assert watched.case.extended


def test_an_extension_that_was_posted_too_late_extends_nothing() -> None:
    watched = _watched_until(DAY_36)
    watched.ask_extension()
    watched.hear(NoticeFailed(kind="extension", reason="no_address"))

    step = watched.notice("extension", watched.due.late_from)

    assert step.bodies(DeadlineExtended) == []
    assert not watched.case.extended


def _not_sent(how: str, watched: Watched) -> Event:
    if how == "failed":
        return NoticeFailed(kind="extension", reason="mailbox_unknown")
    return NoticeExpired(kind="extension", send_by=watched.due.late_from)


def test_another_notice_that_failed_says_nothing_about_the_extension() -> None:
    watched = _watched_until(DAY_36)
    watched.ask_extension()

    watched.hear(NoticeFailed(kind="acknowledgement", reason="mailbox_unknown"))

    assert watched.ask_extension().refusal == "extension_pending"


def test_what_intake_refuses_to_others_says_nothing_about_the_extension() -> None:
    watched = _watched_until(DAY_36)
    watched.ask_extension()

    watched.intake_refuses("habeas/verification")

    assert watched.ask_extension().refusal == "extension_pending"


@pytest.mark.parametrize(
    ("before", "refusal"),
    [
        ("unknown", "unknown_request"),
        ("opt_out", "right_has_no_extension"),
        ("extended", "already_extended"),
        ("blank", "no_reasons"),
        ("late", "too_late"),
        ("withdrawn", "withdrawn"),
        ("fulfilled", "fulfilled"),
        ("answered", "fulfilled"),
        ("closed", "closed"),
    ],
)
def test_an_extension_is_refused(before: str, refusal: str) -> None:
    watched = Watched("opt_out" if before == "opt_out" else "delete")
    if before != "unknown":
        watched.hear_in_time()
    _bring_about(watched, before)

    step = watched.ask_extension(("   ",) if before == "blank" else REASONS)

    assert (step.status, step.refusal) == ("refused", refusal)
    assert step.bodies(SendNotice) == []


def _bring_about(watched: Watched, before: str) -> None:
    if before == "extended":
        watched.ask_extension()
        watched.notice("extension")
    if before == "late":
        watched.pass_until(watched.due.late_from)
    if before == "withdrawn":
        watched.hear(facts.withdrawn())
    if before in {"fulfilled", "closed"}:
        watched.hear(facts.verified())
        watched.hear(facts.fulfilled())
    if before in {"answered", "closed"}:
        watched.notice("answer")
