"""Facts merge in any order: at rest the case is the same, and the requester is answered once."""

from datetime import timedelta
from itertools import permutations

import pytest

from services.intake.domain import IntakeCase
from shared.events.verification import ChallengeIssued
from shared.machine.decision import Message
from tests.support import facts
from tests.support.domain_driver import REQUEST, DomainDriver, Messages
from tests.support.front_desk import NOW, driver, http_message, submission


def stories() -> list[Message]:
    messages = Messages()
    return [
        http_message(submission()),
        messages.event(facts.verified(), at=NOW),
        messages.event(facts.extended(), at=NOW),
        messages.event(facts.fulfilled(resolution="partial"), at=NOW),
        messages.event(facts.closed(), at=NOW),
    ]


def told(order: tuple[Message, ...], *, twice: bool) -> DomainDriver[IntakeCase]:
    desk = driver()
    for message in order:
        desk.deliver(message)
        if twice:
            desk.deliver(message)
    return desk


@pytest.mark.parametrize("twice", [False, True])
def test_every_order_of_facts_ends_in_one_case_and_one_answer(*, twice: bool) -> None:
    expected = told(tuple(stories()), twice=False)

    for order in permutations(stories()):
        desk = told(order, twice=twice)

        assert desk.case == expected.case
        assert desk.is_closed
        assert desk.tasks.keys() == {"notice:acknowledgement", "notice:answer"}
        assert desk.tasks["notice:answer"].body["resolution"] == "partial"


def test_the_state_follows_from_the_facts() -> None:
    desk = driver()
    messages = Messages()
    early = desk.deliver(messages.event(facts.fulfilled(), at=NOW)).case
    received = desk.deliver(http_message(submission())).case
    answered = desk.finish("notice:answer", handed_over_at=NOW.isoformat(), notice_id=str(REQUEST)).case
    closed = desk.deliver(messages.event(facts.closed(), at=NOW + timedelta(days=1))).case

    states = [case.state for case in (early, received, answered, closed)]
    assert states == ["unknown", "received", "answered", "closed"]


def test_what_does_not_concern_intake_changes_nothing() -> None:
    desk = driver()
    desk.deliver(http_message(submission()))
    before = desk.case

    issued = ChallengeIssued(method="email_code", expires_at=NOW)
    desk.deliver(Messages().event(issued, at=NOW))
    desk.wake()

    assert desk.case == before
