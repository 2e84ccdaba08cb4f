"""Who may take a request back, and until when."""

from datetime import timedelta

import pytest

from services.intake.domain import IntakeCase
from services.intake.messages import WithdrawRequest
from shared.events.commands import Withdraw
from shared.events.intake import RequestWithdrawn
from tests.support import facts
from tests.support.domain_driver import DomainDriver, Messages
from tests.support.front_desk import NOW, Upstream, acceptances, driver, http_message, refusals, submission


def received() -> DomainDriver[IntakeCase]:
    desk = driver()
    desk.deliver(http_message(submission()))
    return desk


def test_the_holder_of_the_secret_withdraws_and_waiting_notices_are_looked_at() -> None:
    desk = received()
    desk.now += timedelta(days=1)

    step = desk.local(WithdrawRequest())

    assert [fact.withdrawn_at for fact in step.bodies(RequestWithdrawn)] == [desk.now]
    assert desk.case.state == "withdrawn"
    assert desk.hurried == ["notice:acknowledgement"]


def test_withdrawing_twice_is_withdrawing_once() -> None:
    desk = received()
    desk.local(WithdrawRequest())

    again = desk.local(WithdrawRequest())

    assert (again.status, again.sent) == ("applied", ())
    assert len(desk.bodies(RequestWithdrawn)) == 1


def test_staff_withdraw_with_a_signed_command() -> None:
    desk = received()

    step = desk.deliver(Messages().command(Withdraw(actor="j.doe"), at=NOW))

    assert len(step.bodies(RequestWithdrawn)) == 1
    assert acceptances(step) == 1


def test_the_source_that_sent_a_request_withdraws_it_as_of_when_it_was_told() -> None:
    desk, upstream = driver(), Upstream()
    desk.deliver(upstream.submits())
    desk.now += timedelta(hours=2)
    told = NOW + timedelta(hours=1)

    [fact] = desk.deliver(upstream.withdraws(told)).bodies(RequestWithdrawn)

    assert fact.withdrawn_at == told


@pytest.mark.parametrize("days", [-3, 3])
def test_an_upstream_withdrawal_lies_between_receipt_and_now(days: int) -> None:
    desk, upstream = driver(), Upstream()
    desk.deliver(upstream.submits())

    [fact] = desk.deliver(upstream.withdraws(NOW + timedelta(days=days))).bodies(RequestWithdrawn)

    assert desk.case.received_at is not None
    assert desk.case.received_at <= fact.withdrawn_at <= NOW


def test_somebody_elses_request_is_not_withdrawn() -> None:
    desk, upstream = driver(), Upstream()
    desk.deliver(upstream.submits())

    step = desk.deliver(Upstream("upstream/other", upstream.messages).withdraws())

    assert refusals(step) == ["not_yours"]
    assert desk.case.state == "received"


def test_a_request_made_over_http_is_not_withdrawn_from_upstream() -> None:
    desk = received()

    step = desk.deliver(Upstream().withdraws())

    assert refusals(step) == ["not_yours"]


def test_an_unknown_request_is_told_from_a_foreign_one_by_nobody() -> None:
    step = driver().deliver(Upstream().withdraws())

    assert refusals(step) == ["not_yours"]


def test_an_unknown_request_is_not_withdrawn_over_http() -> None:
    assert driver().local(WithdrawRequest()).refusal == "unknown_request"


def test_what_has_ended_is_not_withdrawn() -> None:
    desk = received()
    desk.deliver(Messages().event(facts.fulfilled(), at=NOW))

    assert desk.local(WithdrawRequest()).refusal == "too_late"
    assert desk.bodies(RequestWithdrawn) == []
