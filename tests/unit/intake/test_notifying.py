"""Each notice is planned once, sent while it has a meaning, and what became of it is stated once."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.intake.domain import IntakeCase
from services.intake.domain.notifying import MOST_NOTICES
from services.intake.messages import PresentProof, WithdrawRequest
from shared.events.commands import AnswerChallenge, PresentAssertion, SendNotice
from shared.events.fulfillment import Retention, SystemOutcome
from shared.events.intake import NoticeExpired, NoticeFailed, NoticeSent
from shared.machine.decision import Go, Stop
from tests.support import facts
from tests.support.domain_driver import DomainDriver, Messages
from tests.support.front_desk import NOW, driver, http_message, refusals, submission

NOTICE_ID = UUID("00000000-0000-4000-8000-00000000000a")
VERIFICATION, DEADLINE = "habeas/verification", "habeas/deadline"
LATE_FROM = NOW + timedelta(days=10)


def received(right: str = "delete") -> DomainDriver[IntakeCase]:
    desk = driver()
    desk.deliver(http_message(submission(right=right)))
    return desk


def code(**more: Any) -> SendNotice:
    given = {"code": "c2VhbGVk", "expires_at": LATE_FROM, **more}
    return SendNotice(kind="verification_code", **given)


def extension(**more: Any) -> SendNotice:
    due = facts.clocks().extend_to
    given = {"reasons": ("one system answers only by mail",), "due": due, "send_by": LATE_FROM, **more}
    return SendNotice(kind="extension", **given)


def ask(
    desk: DomainDriver[IntakeCase], command: SendNotice, source: str, messages: Messages | None = None
) -> list[str]:
    """Refusals, none where the notice was planned."""
    message = (messages or Messages()).command(command, at=desk.now, source=source)
    return refusals(desk.deliver(message))


def sent(desk: DomainDriver[IntakeCase], key: str, at: datetime) -> list[NoticeSent]:
    step = desk.finish(key, handed_over_at=at.isoformat(), notice_id=str(NOTICE_ID))
    return step.bodies(NoticeSent)


@pytest.mark.parametrize(
    ("resolution", "kind"),
    [
        ("complete", "answer"),
        ("partial", "answer"),
        ("nothing_found", "answer"),
        ("duplicate", "answer"),
        ("denied", "denial"),
        ("withdrawn", "withdrawal"),
    ],
)
def test_a_fulfilled_request_gets_exactly_one_answer_of_its_kind(resolution: Any, kind: str) -> None:
    desk = received()
    messages = Messages()

    first = desk.deliver(messages.event(facts.fulfilled(resolution=resolution), at=NOW))
    second = desk.deliver(messages.event(facts.fulfilled(resolution=resolution), at=NOW))

    [plan] = first.tasks
    assert (plan.key, plan.body["kind"], plan.body["resolution"]) == ("notice:answer", kind, resolution)
    assert second.tasks == ()


def test_the_answer_names_what_is_kept_by_exemption_over_all_systems() -> None:
    desk = received()
    systems = tuple(
        SystemOutcome(
            system=system,
            outcome="done",
            retained=(Retention(dataset=f"{system}.sales", exemption="legal_obligation", count=count),),
        )
        for system, count in (("dms", 2), ("crm", 3))
    )

    desk.deliver(Messages().event(facts.fulfilled(resolution="partial", systems=systems), at=NOW))

    assert desk.tasks["notice:answer"].body["kept"] == [{"exemption": "legal_obligation", "count": 5}]


def test_an_answer_that_was_handed_over_is_stated_and_the_request_is_answered() -> None:
    desk = received()
    desk.deliver(Messages().event(facts.fulfilled(), at=NOW))

    [fact] = sent(desk, "notice:answer", NOW + timedelta(seconds=5))

    assert (fact.kind, fact.channel, fact.notice_id) == ("answer", "email", NOTICE_ID)
    assert desk.case.answered_at == fact.handed_over_at == NOW + timedelta(seconds=5)
    assert desk.case.state == "answered"


def test_an_end_that_is_heard_twice_is_stated_once() -> None:
    desk = received()
    assert len(sent(desk, "notice:acknowledgement", NOW)) == 1

    assert sent(desk, "notice:acknowledgement", NOW + timedelta(hours=1)) == []


def test_an_address_that_is_refused_for_good_makes_a_failed_notice() -> None:
    desk = received()
    desk.deliver(Messages().event(facts.fulfilled(), at=NOW))

    step = desk.finish("notice:answer", "needs_person", reason="address_refused")

    assert [(fact.kind, fact.reason) for fact in step.bodies(NoticeFailed)] == [("answer", "address_refused")]
    assert desk.case.state == "received"


def test_a_code_is_planned_with_its_seal_kept_and_the_extension_with_its_reasons() -> None:
    desk = received()
    messages = Messages()

    assert ask(desk, code(), VERIFICATION, messages) == []
    assert ask(desk, extension(), DEADLINE, messages) == []

    plans = {plan.body["kind"]: plan for plan in desk.tasks.values()}
    code_name = plans["verification_code"].body["code_name"]
    assert desk.kept[code_name].sealed == "c2VhbGVk"
    assert plans["extension"].body["extend_to"] == "2026-05-03"
    assert plans["extension"].body["reasons"] == ["one system answers only by mail"]
    assert plans["extension"].urgency == LATE_FROM


@pytest.mark.parametrize(
    ("command", "source", "refusal"),
    [
        (SendNotice(kind="answer"), "habeas/fulfillment", "kind_not_allowed"),
        (SendNotice(kind="acknowledgement"), DEADLINE, "kind_not_allowed"),
        (code(), DEADLINE, "kind_not_allowed"),
        (extension(), VERIFICATION, "kind_not_allowed"),
        (extension(reasons=()), DEADLINE, "incomplete"),
        (extension(due=None), DEADLINE, "incomplete"),
        (code(code=None), VERIFICATION, "incomplete"),
    ],
)
def test_a_notice_that_its_sender_may_not_ask_for_or_that_says_nothing_is_refused(
    command: SendNotice, source: str, refusal: str
) -> None:
    desk = received()

    assert ask(desk, command, source) == [refusal]
    assert desk.tasks.keys() == {"notice:acknowledgement"}


def test_nothing_is_asked_for_a_request_that_is_unknown_or_has_ended() -> None:
    assert ask(driver(), code(), VERIFICATION) == ["unknown_request"]
    desk = received()
    desk.local(WithdrawRequest())

    assert ask(desk, code(), VERIFICATION) == ["not_open"]


def test_notices_about_one_request_are_bounded_and_still_fit_the_case() -> None:
    desk = received()
    messages = Messages()

    refusals = [ask(desk, code(), VERIFICATION, messages) for _ in range(MOST_NOTICES + 3)]
    desk.deliver(messages.event(facts.fulfilled(), at=NOW))

    assert refusals[MOST_NOTICES - 2] == []
    assert refusals[-1] == ["too_many_notices"]
    assert "notice:answer" in desk.tasks


def test_after_its_last_instant_a_notice_is_stopped_and_stated_as_expired() -> None:
    desk = received()
    ask(desk, extension(), DEADLINE)
    key = next(key for key in desk.tasks if key.startswith("notice:extension"))

    desk.now = LATE_FROM - timedelta(microseconds=1)
    assert desk.permit(key) == Go()
    desk.now = LATE_FROM
    assert desk.permit(key) == Stop("expired")
    step = desk.finish(key, "canceled", reason="expired")

    assert [(fact.kind, fact.send_by) for fact in step.bodies(NoticeExpired)] == [("extension", LATE_FROM)]


def test_a_notice_that_the_last_look_before_calling_stopped_is_expired_too() -> None:
    desk = received()
    ask(desk, extension(), DEADLINE)
    key = next(key for key in desk.tasks if key.startswith("notice:extension"))
    desk.now = LATE_FROM

    step = desk.finish(key, "canceled", reason="not_permitted")

    assert len(step.bodies(NoticeExpired)) == 1


def test_a_code_is_not_sent_once_verification_has_ended() -> None:
    desk = received()
    messages = Messages()
    ask(desk, code(), VERIFICATION, messages)
    key = next(key for key in desk.tasks if key.startswith("notice:verification_code"))
    assert desk.permit(key) == Go()

    desk.deliver(messages.event(facts.verified(), at=NOW))

    assert desk.permit(key) == Stop("not_needed")
    assert desk.finish(key, "canceled", reason="not_needed").sent == ()


def test_an_acknowledgement_that_comes_after_the_answer_is_left_out() -> None:
    desk = received()
    desk.deliver(Messages().event(facts.fulfilled(), at=NOW))
    assert desk.permit("notice:acknowledgement") == Go()

    sent(desk, "notice:answer", NOW)

    assert desk.permit("notice:acknowledgement") == Stop("not_needed")


def test_a_withdrawn_request_is_still_told_how_it_ended() -> None:
    desk = received()
    desk.local(WithdrawRequest())

    desk.deliver(Messages().event(facts.fulfilled(resolution="withdrawn"), at=NOW))

    assert desk.permit("notice:answer") == Go()


def test_a_proof_goes_on_sealed_and_once() -> None:
    desk = received()

    step = desk.local(PresentProof(code="123456"))
    assertion = desk.local(PresentProof(assertion="a.b.c"))

    assert isinstance(step.sent[0].body, AnswerChallenge)
    assert step.sent[0].opened("code") == b"123456"
    assert isinstance(assertion.sent[0].body, PresentAssertion)
    assert assertion.sent[0].opened("assertion") == b"a.b.c"


def test_a_request_takes_a_bounded_number_of_proofs() -> None:
    desk = received()

    refusals = [desk.local(PresentProof(code="000000")).refusal for _ in range(15)]

    assert refusals[11] is None
    assert refusals[12:] == ["too_many_proofs"] * 3


def test_an_opt_out_takes_no_proof() -> None:
    assert received("opt_out").local(PresentProof(code="123456")).refusal == "not_verified"


def test_nothing_is_proved_twice() -> None:
    desk = received()
    desk.deliver(Messages().event(facts.verified(), at=NOW))

    assert desk.local(PresentProof(code="123456")).refusal == "not_open"
