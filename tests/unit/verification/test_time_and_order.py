"""The day on which verification ends, and every order in which facts may come."""

from datetime import timedelta
from itertools import permutations

import pytest

from services.verification.domain import AssertionFound, ClaimsFound
from shared.events.message import Event
from shared.events.verification import ChallengeIssued, VerificationConcluded
from tests.support import facts
from tests.support.proofs import FOREIGN, FRESH, Verifying, another

LATE = timedelta(days=60)


@pytest.mark.parametrize(
    ("right", "proved", "conclusion", "granted", "reason"),
    [
        ("know_specific", True, "downgraded", "know_categories", "degree_not_reached"),
        ("know_specific", False, "failed", "know_specific", "no_valid_answer"),
        ("delete", False, "failed", "delete", "no_valid_answer"),
        ("know_categories", False, "failed", "know_categories", "no_valid_answer"),
    ],
)
def test_ten_days_before_the_answer_is_due_verification_ends(
    right: str, *, proved: bool, conclusion: str, granted: str, reason: str
) -> None:
    verifying = Verifying()
    verifying.receive(right)
    if proved:
        verifying.answer(verifying.codes[0])
    verify_by = facts.clocks(right).verify_by
    assert verify_by is not None
    assert verifying.driver.wake_at == verify_by.late_from

    verifying.driver.pass_time(verify_by.late_from - timedelta(microseconds=1))
    assert verifying.driver.bodies(VerificationConcluded) == []
    verifying.driver.pass_time(verify_by.late_from)

    [concluded] = verifying.driver.bodies(VerificationConcluded)
    assert (concluded.conclusion, concluded.right, concluded.reason) == (conclusion, granted, reason)
    assert verifying.driver.wake_at is None


def test_the_reason_says_that_all_attempts_were_used() -> None:
    verifying = Verifying()
    verifying.receive("delete")
    for _ in range(15):
        verifying.answer(another(verifying.codes[-1]))

    verifying.driver.pass_time(facts.RECEIVED_AT + LATE)

    [concluded] = verifying.driver.bodies(VerificationConcluded)
    assert (concluded.conclusion, concluded.reason) == ("failed", "too_many_attempts")


@pytest.mark.parametrize("extension_first", [True, False])
def test_an_extension_gives_verification_as_many_more_days(*, extension_first: bool) -> None:
    verifying = Verifying()
    if extension_first:
        verifying.hear(facts.extended())
    verifying.receive("delete")
    if not extension_first:
        verifying.hear(facts.extended())

    # 2026-05-03 less ten days, at the end of the Pacific day.
    assert str(verifying.driver.wake_at) == "2026-04-24 07:00:00+00:00"


def test_an_extension_after_the_end_changes_nothing() -> None:
    verifying = Verifying()
    verifying.receive("delete")
    verifying.driver.pass_time(facts.RECEIVED_AT + timedelta(days=40))

    step = verifying.hear(facts.extended())

    assert step.sent == ()
    assert verifying.driver.wake_at is None


def test_a_request_heard_only_after_its_day_is_proved_first_and_ended_second() -> None:
    proved, silent = Verifying(), Verifying()
    for verifying in (proved, silent):
        verifying.driver.now = facts.RECEIVED_AT + LATE

    proved.receive("delete", assertion=FRESH)
    silent.receive("delete")

    assert [fact.conclusion for fact in proved.driver.bodies(VerificationConcluded)] == ["verified"]
    assert [fact.conclusion for fact in silent.driver.bodies(VerificationConcluded)] == ["failed"]
    assert silent.codes == []


@pytest.mark.parametrize("ending", [facts.withdrawn(), facts.closed()])
def test_nothing_is_concluded_about_a_request_that_is_over(ending: Event) -> None:
    verifying = Verifying()
    verifying.receive("delete")
    verifying.hear(ending)

    verifying.driver.pass_time(facts.RECEIVED_AT + LATE)

    assert verifying.driver.bodies(VerificationConcluded) == []
    assert verifying.case.challenge is None


def test_closing_lets_the_shell_forget_the_records() -> None:
    verifying = Verifying()
    verifying.receive("opt_out")

    verifying.hear(facts.closed("opt_out"))

    assert verifying.driver.is_closed


@pytest.mark.parametrize("assertion", [FRESH, FOREIGN])
def test_an_assertion_ahead_of_its_request_is_kept_for_it(assertion: AssertionFound) -> None:
    verifying = Verifying()
    early = verifying.presentation(assertion)

    assert verifying.driver.deliver(early).status == "applied"
    verifying.receive("delete")

    concluded = [fact.conclusion for fact in verifying.driver.bodies(VerificationConcluded)]
    assert concluded == (["verified"] if assertion is FRESH else [])
    assert len(verifying.codes) == (0 if assertion is FRESH else 1)
    assert verifying.case.presented is None


@pytest.mark.parametrize("right", ["delete", "know_specific", "opt_out"])
def test_any_order_of_the_facts_leads_to_the_same_case_and_one_conclusion(right: str) -> None:
    cases = set()
    for order in permutations(range(3)):
        verifying = Verifying()
        told = [
            verifying.request(right),
            verifying.presentation(FRESH),
            verifying.messages.event(facts.extended(), at=facts.RECEIVED_AT),
        ]

        for turn in order:
            verifying.driver.deliver(told[turn])
            verifying.driver.deliver(told[turn])

        # How many codes went out before the account spoke is history, not state: that one depends on the order.
        cases.add(verifying.case.model_copy(update={"challenges": 0}).model_dump_json())
        assert len(verifying.driver.bodies(VerificationConcluded)) == 1
    assert len(cases) == 1


def test_a_withdrawal_that_overtakes_its_request_waits_for_it_and_then_ends_it() -> None:
    verifying = Verifying()
    request = verifying.request("delete")
    taken_back = verifying.messages.event(facts.withdrawn(), at=facts.RECEIVED_AT)

    assert verifying.driver.deliver(taken_back).status == "parked"
    verifying.driver.deliver(request)

    assert verifying.case.withdrawn
    assert verifying.driver.wake_at is None


def test_a_message_of_another_kind_changes_nothing() -> None:
    verifying = Verifying()
    verifying.receive("delete")
    before = verifying.case

    step = verifying.hear(facts.notice_sent("acknowledgement"))

    assert (step.case, step.sent) == (before, ())


def test_a_request_stated_twice_is_one_request() -> None:
    verifying = Verifying()
    verifying.receive("delete")
    before = verifying.case

    verifying.receive("know_specific", claims=ClaimsFound(fault="no_email"))

    assert verifying.case == before


def test_a_second_delivery_sends_no_second_code() -> None:
    verifying = Verifying()
    request = verifying.request("delete")

    verifying.driver.deliver(request)
    again = verifying.driver.deliver(request)

    assert again.status == "duplicate"
    assert len(verifying.driver.bodies(ChallengeIssued)) == 1
