"""Who was answered as often as the law asks for is answered, or not, as a person decides: never by a rule alone."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest

from services.fulfillment.domain import Catalogue, FulfillmentCase, FulfillmentDomain, SystemEntry
from services.fulfillment.domain.reviewing import AnsweredBefore
from services.fulfillment.limited import limited_rights
from shared.events.commands import DecideReview
from shared.events.fulfillment import RequestFulfilled, TaskNeedsPerson, TasksPlanned
from shared.machine.decision import Go, Stop
from shared.policy.rights import Right
from tests.support.domain_driver import REQUEST, DomainDriver, Messages
from tests.support.facts import RECEIVED_AT, received, verified, withdrawn

NOW = RECEIVED_AT + timedelta(hours=2)
KNOW = frozenset({Right.KNOW_SPECIFIC, Right.KNOW_CATEGORIES, Right.DELETE, Right.OPT_OUT})
SPRING, SUMMER = RECEIVED_AT - timedelta(days=300), RECEIVED_AT - timedelta(days=200)
LONG_AGO = RECEIVED_AT - timedelta(days=366)


class Asked:
    """A request of somebody whose earlier requests came at these times."""

    def __init__(self, *before: datetime, right: str = "know_specific", first: UUID | None = None) -> None:
        catalogue = Catalogue([SystemEntry(name="crm", business="cascadia", rights=KNOW)])
        self.driver: DomainDriver[FulfillmentCase] = DomainDriver(FulfillmentDomain(catalogue), NOW)
        self.messages = Messages()
        self.hear(received(right))
        conclusion = "not_needed" if right == "opt_out" else "verified"
        facts = AnsweredBefore(before, first) if before else None
        self.hear(verified(right, conclusion=conclusion), facts=facts)

    def hear(self, body: Any, **facts: Any) -> None:
        self.driver.deliver(self.messages.event(body, at=NOW), **facts)

    def asks_a_person(self) -> None:
        self.driver.finish("review", status="needs_person", kind="decision", reason="two were answered")

    def decided(self, outcome: str, reason: str = "a court asked for it") -> str | None:
        body = DecideReview.model_validate({"outcome": outcome, "actor": "operator-1", "reason": reason})
        refusal = self.driver.deliver(self.messages.command(body, at=NOW)).refusal
        if refusal is None and isinstance(self.driver.permit("review"), Stop):
            self.driver.finish("review", status="canceled")
        return refusal

    @property
    def ends(self) -> list[tuple[str, str | None]]:
        return [(end.resolution, end.ground) for end in self.driver.bodies(RequestFulfilled)]


def test_a_third_request_in_twelve_months_waits_for_a_person_before_any_system_is_asked() -> None:
    third = Asked(SPRING, SUMMER)

    third.asks_a_person()

    assert third.driver.case.open == ("review",)
    assert not third.driver.bodies(TasksPlanned)
    assert [one.kind for one in third.driver.bodies(TaskNeedsPerson)] == ["decision"]
    assert third.ends == []


def test_the_person_reads_from_which_day_it_must_be_answered_and_by_which_law() -> None:
    third = Asked(SPRING, SUMMER)

    words = str(third.driver.tasks["review"].body["words"])

    assert "2 earlier requests were answered" in words
    assert str((SPRING + timedelta(days=365)).date()) in words
    assert "Civ. Code 1798.130(b)" in words


def test_it_is_done_like_any_other_once_a_person_grants_it() -> None:
    third = Asked(SPRING, SUMMER)
    third.asks_a_person()

    assert third.decided("grant") is None

    assert third.driver.case.open == ("act:crm:know_specific",)


def test_it_is_denied_with_the_reason_that_the_person_gave() -> None:
    third = Asked(SPRING, SUMMER)
    third.asks_a_person()

    assert third.decided("deny", "You had two copies; ask again from March 10") is None

    assert third.ends == [("denied", "answered_often_enough: You had two copies; ask again from March 10")]


def test_a_decision_that_comes_before_the_question_was_put_counts() -> None:
    third = Asked(SPRING, SUMMER)

    assert third.decided("deny", "too often") is None

    assert third.ends == [("denied", "answered_often_enough: too often")]


@pytest.mark.parametrize("before", [(), (SUMMER,), (LONG_AGO, SUMMER)], ids=["none", "one", "one in time"])
def test_the_first_two_in_twelve_months_are_answered_without_asking_anybody(
    before: tuple[datetime, ...],
) -> None:
    assert Asked(*before).driver.case.open == ("act:crm:know_specific",)


@pytest.mark.parametrize("right", ["delete", "opt_out"])
def test_what_no_law_limits_never_waits_however_often_it_is_asked(right: str) -> None:
    asked = Asked(SPRING, SUMMER, SUMMER, SUMMER, right=right)

    assert asked.driver.case.open == (f"act:crm:{right}",)


def test_no_regime_limits_how_often_somebody_opts_out_deletes_or_corrects() -> None:
    assert limited_rights() == {Right.KNOW_SPECIFIC, Right.KNOW_CATEGORIES, Right.SHINE_THE_LIGHT}


def test_a_withdrawal_ends_the_waiting() -> None:
    third = Asked(SPRING, SUMMER)
    third.asks_a_person()

    third.hear(withdrawn())
    third.driver.finish("review", status="canceled")

    assert third.ends == [("withdrawn", None)]
    assert third.decided("grant") == "already_ended"


def test_a_wrong_try_to_decide_says_why() -> None:
    first, third = Asked(), Asked(SPRING, SUMMER)
    third.asks_a_person()

    assert first.decided("deny") == "nothing_to_decide"
    assert isinstance(third.driver.permit("review"), Go)
    assert third.decided("grant") is None
    assert third.decided("deny") == "nothing_to_decide"


def test_a_second_word_before_the_first_was_followed_is_refused() -> None:
    third = Asked(SPRING, SUMMER)
    say = DecideReview(outcome="deny", actor="operator-1", reason="too often")
    third.driver.deliver(third.messages.command(say, at=NOW))

    again = third.driver.deliver(third.messages.command(say.model_copy(update={"outcome": "grant"}), at=NOW))

    assert again.refusal == "already_decided"


def test_a_third_that_waited_for_an_open_one_in_vain_is_put_before_a_person_too() -> None:
    third = Asked(SPRING, SUMMER, first=uuid5(REQUEST, "an open one"))
    assert third.driver.case.open == ("join",)

    third.driver.finish("join", resolution="denied")

    assert third.driver.case.open == ("review",)


def test_the_same_is_decided_whichever_of_receipt_and_verification_is_heard_first() -> None:
    late = Asked(SPRING, SUMMER)
    early: DomainDriver[FulfillmentCase] = DomainDriver(late.driver.domain, NOW)
    messages = Messages()
    receipt, proof = (
        messages.event(received("know_specific"), at=NOW),
        messages.event(verified("know_specific"), at=NOW),
    )

    early.deliver(proof, facts=AnsweredBefore((SPRING, SUMMER)))
    early.deliver(receipt)

    assert early.case == late.driver.case
