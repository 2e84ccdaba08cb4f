"""An appeal is a request with a clock of its own, by the law of the request that was denied."""

import json
from datetime import date, timedelta
from uuid import uuid5

import pytest

from services.deadline.domain import DeadlineCase, DeadlineDomain
from shared.events.deadline import DeadlineApproaching, DeadlineMissed, RequestClosed
from shared.events.intake import Linked
from shared.events.message import Event
from shared.policy import Right, load_regime, reckon
from tests.support import facts
from tests.support.domain_driver import REQUEST, DomainDriver, Messages

FIRST = uuid5(REQUEST, "the denied request")


class Appeal:
    """An appeal of February 2, 2026, under one state's law."""

    def __init__(self, regime: str) -> None:
        clocks = reckon(load_regime(regime), Right.APPEAL, facts.RECEIVED_AT)
        linked = Linked(kind="appeal", request_id=FIRST, right=Right.DELETE)
        more = {"regime": regime, "right": Right.APPEAL, "clocks": clocks, "linked": linked}
        self.driver: DomainDriver[DeadlineCase] = DomainDriver(DeadlineDomain(), facts.RECEIVED_AT)
        self.messages = Messages()
        self.hear(facts.received().model_copy(update=more))

    def hear(self, body: Event) -> None:
        self.driver.deliver(self.messages.event(body, at=self.driver.now))


@pytest.mark.parametrize(
    ("regime", "due"),
    [("us-co-cpa", date(2026, 3, 19)), ("us-va-vcdpa", date(2026, 4, 3)), ("us-or-ocpa", date(2026, 3, 19))],
)
def test_it_is_late_after_the_days_that_its_law_gives_an_appeal_and_warned_of_before(
    regime: str, due: date
) -> None:
    appeal = Appeal(regime)

    while appeal.driver.wake_at is not None:
        appeal.driver.now = appeal.driver.wake_at
        appeal.driver.wake()

    [missed] = appeal.driver.bodies(DeadlineMissed)
    assert (missed.clock, missed.due.date) == ("respond", due)
    assert {one.due.date for one in appeal.driver.bodies(DeadlineApproaching)} == {due}


def test_its_certificate_names_the_request_that_it_is_against() -> None:
    appeal = Appeal("us-co-cpa")
    appeal.hear(facts.verified("appeal"))
    appeal.hear(facts.fulfilled("delete"))
    appeal.hear(facts.notice_sent("answer", facts.RECEIVED_AT + timedelta(days=1)))

    [closed] = appeal.driver.bodies(RequestClosed)
    payload = json.loads(appeal.driver.tasks["certificate"].body["payload"])
    assert (closed.right, closed.in_time) == (Right.APPEAL, True)
    assert payload["follows"] == {"kind": "appeal", "request_id": str(FIRST)}


def test_the_certificate_of_a_request_that_follows_from_none_has_no_such_field() -> None:
    watched: DomainDriver[DeadlineCase] = DomainDriver(DeadlineDomain(), facts.RECEIVED_AT)
    messages = Messages()
    for body in (facts.received(), facts.verified(), facts.fulfilled(), facts.notice_sent("answer")):
        watched.deliver(messages.event(body, at=watched.now))

    assert "follows" not in json.loads(watched.tasks["certificate"].body["payload"])
