"""Codes by e-mail: right, wrong, too often, too late, too early."""

from datetime import timedelta

import pytest

from services.verification.domain import Limits
from shared.events.commands import AnswerChallenge, SendNotice
from shared.events.verification import ChallengeFailed, ChallengeIssued, VerificationConcluded
from shared.privacy import HmacKeyring, Secret
from tests.support import facts
from tests.support.proofs import FOREIGN, FRESH, KEYRING, Verifying, another


@pytest.mark.parametrize("between", ["", " ", "-"])
def test_the_code_verifies_a_deletion_however_it_is_spaced(between: str) -> None:
    verifying = Verifying()
    verifying.receive("delete")
    [code] = verifying.codes

    step = verifying.answer(f" {code[:4]}{between}{code[4:]}")

    [concluded] = step.bodies(VerificationConcluded)
    assert (concluded.conclusion, concluded.degree, concluded.method) == (
        "verified",
        "reasonable",
        "email_code",
    )
    assert verifying.case.challenge is None


def test_a_wrong_code_is_an_accepted_command_whose_fact_says_how_often_is_left() -> None:
    verifying = Verifying()
    verifying.receive("delete")

    step = verifying.answer(another(verifying.codes[0]))

    assert step.status == "applied"
    [failed] = step.bodies(ChallengeFailed)
    assert (failed.reason, failed.attempts_left) == ("wrong_code", 4)
    assert step.bodies(SendNotice) == []


def test_after_five_wrong_answers_the_code_is_dead_and_a_fresh_one_is_sent() -> None:
    verifying = Verifying()
    verifying.receive("delete")
    [first] = verifying.codes

    left = [verifying.answer(another(first)).bodies(ChallengeFailed)[0].attempts_left for _ in range(5)]
    verifying.answer(first)

    assert left == [4, 3, 2, 1, 0]
    assert len(verifying.codes) == 2
    assert verifying.driver.bodies(VerificationConcluded) == []

    verifying.answer(verifying.codes[1])

    assert len(verifying.driver.bodies(VerificationConcluded)) == 1


def test_at_most_three_codes_and_fifteen_answers() -> None:
    verifying = Verifying()
    verifying.receive("delete")

    steps = [verifying.answer(another(verifying.codes[-1])) for _ in range(16)]

    assert [step.status for step in steps] == ["applied"] * 15 + ["refused"]
    assert steps[-1].refusal == "too_many_attempts"
    assert len(verifying.codes) == len(verifying.driver.bodies(ChallengeIssued)) == 3
    assert len(set(verifying.codes)) == 3


def test_an_account_still_verifies_after_the_last_code_is_used_up() -> None:
    verifying = Verifying(limits=Limits(attempts=1, challenges=1))
    verifying.receive("delete")
    verifying.answer(another(verifying.codes[0]))

    step = verifying.present(FRESH)

    assert [fact.conclusion for fact in step.bodies(VerificationConcluded)] == ["verified"]


def test_a_code_expires_after_72_hours_and_its_late_answer_brings_a_fresh_one() -> None:
    verifying = Verifying()
    verifying.receive("delete")
    verifying.driver.pass_time(facts.RECEIVED_AT + timedelta(hours=72))

    step = verifying.answer(verifying.codes[0])

    assert [(fact.reason, fact.attempts_left) for fact in step.bodies(ChallengeFailed)] == [("expired", 0)]
    assert len(verifying.codes) == 2


def test_what_counts_is_when_the_code_was_typed_not_when_we_came_to_it() -> None:
    verifying = Verifying()
    verifying.receive("delete")
    verifying.driver.pass_time(facts.RECEIVED_AT + timedelta(hours=80))

    step = verifying.answer(verifying.codes[0], at=facts.RECEIVED_AT + timedelta(hours=71))

    assert [fact.conclusion for fact in step.bodies(VerificationConcluded)] == ["verified"]


def test_a_code_never_outlives_the_day_on_which_verification_ends() -> None:
    verifying = Verifying(limits=Limits(code_lives=timedelta(days=90)))

    step = verifying.receive("delete")

    [issued] = step.bodies(ChallengeIssued)
    assert issued.expires_at == verifying.driver.wake_at


@pytest.mark.parametrize(
    ("before", "refusal"),
    [
        ("nothing", "no_challenge"),
        ("proved", "already_answered"),
        ("concluded", "already_concluded"),
        ("withdrawn", "withdrawn"),
        ("closed", "closed"),
    ],
)
def test_a_code_is_refused_where_none_is_asked_for(before: str, refusal: str) -> None:
    verifying = Verifying()
    if before != "nothing":
        verifying.receive("know_specific" if before == "proved" else "delete")
    if before in {"proved", "concluded"}:
        verifying.answer(verifying.codes[0])
    if before in {"withdrawn", "closed"}:
        verifying.hear(facts.withdrawn() if before == "withdrawn" else facts.closed())

    step = verifying.answer("12345678")

    assert (step.status, step.refusal) == ("refused", refusal)


def test_an_unreadable_answer_counts_as_a_wrong_one() -> None:
    verifying = Verifying()
    verifying.receive("delete")
    unread = verifying.messages.command(AnswerChallenge(code="c2VhbGVk"), at=facts.RECEIVED_AT)

    step = verifying.driver.deliver(unread)

    assert [fact.attempts_left for fact in step.bodies(ChallengeFailed)] == [4]


def test_five_refused_assertions_are_enough() -> None:
    verifying = Verifying()
    verifying.receive("delete")

    steps = [verifying.present(FOREIGN) for _ in range(6)]

    assert [step.refusal for step in steps] == [None] * 5 + ["too_many_attempts"]
    assert len(verifying.codes) == 1


def test_a_code_sent_before_a_key_rotation_is_still_right_after_it() -> None:
    before = Verifying()
    before.receive("delete")
    rotated = HmacKeyring("2", {**KEYRING.keys, "2": Secret(b"n" * 32)})
    after = Verifying(keyring=rotated)
    after.driver._row = before.driver._row  # noqa: SLF001 - the same case under a restarted service

    step = after.answer(before.codes[0])

    assert [fact.conclusion for fact in step.bodies(VerificationConcluded)] == ["verified"]


def test_two_requests_never_share_code_or_salt() -> None:
    verifying = Verifying()
    verifying.receive("delete")
    for _ in range(5):
        verifying.answer(another(verifying.codes[0]))

    first, second = verifying.codes

    assert first != second
