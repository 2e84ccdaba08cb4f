"""Which proof each right needs, and what a proof is worth."""

import pytest

from services.verification.domain import AssertionFound, ClaimsFound
from services.verification.domain.findings import ClaimsFault
from shared.events.commands import SendNotice
from shared.events.verification import ChallengeFailed, ChallengeIssued, VerificationConcluded
from shared.policy import Degree
from tests.support.proofs import CLAIMED, FOREIGN, FRESH, STALE, SUBJECT, Verifying


@pytest.mark.parametrize("right", ["opt_out", "limit", "opt_in"])
@pytest.mark.parametrize("assertion", [None, FRESH, FOREIGN])
def test_a_right_without_verification_is_never_asked_anything(
    right: str, assertion: AssertionFound | None
) -> None:
    verifying = Verifying()

    step = verifying.receive(right, assertion=assertion)

    [concluded] = step.bodies(VerificationConcluded)
    assert (concluded.conclusion, concluded.degree, concluded.method) == ("not_needed", "none", "none")
    assert concluded.subject_hash == SUBJECT
    assert len(step.sent) == 1
    assert verifying.driver.wake_at is None


def test_an_opt_out_whose_claims_cannot_be_read_still_goes_ahead() -> None:
    step = Verifying().receive("opt_out", claims=ClaimsFound(fault="claims_unreadable"))

    [concluded] = step.bodies(VerificationConcluded)
    assert (concluded.conclusion, concluded.subject_hash) == ("not_needed", None)


@pytest.mark.parametrize("right", ["delete", "correct", "know_categories"])
@pytest.mark.parametrize(("assertion", "degree"), [(FRESH, "reasonably_high"), (STALE, "reasonable")])
def test_an_account_verifies_a_right_that_needs_a_reasonable_degree(
    right: str, assertion: AssertionFound | None, degree: str
) -> None:
    step = Verifying().receive(right, assertion=assertion)

    [concluded] = step.bodies(VerificationConcluded)
    assert (concluded.conclusion, concluded.right, concluded.degree) == ("verified", right, degree)
    assert (concluded.method, concluded.subject_hash) == ("account_assertion", SUBJECT)
    assert step.bodies(SendNotice) == []


def test_specific_pieces_are_verified_by_a_sign_in_just_now() -> None:
    step = Verifying().receive("know_specific", assertion=FRESH)

    [concluded] = step.bodies(VerificationConcluded)
    assert (concluded.conclusion, concluded.degree) == ("verified", Degree.REASONABLY_HIGH)


@pytest.mark.parametrize("proof", ["code", "old session"])
def test_specific_pieces_wait_for_more_than_a_code_or_an_old_session(proof: str) -> None:
    verifying = Verifying()
    verifying.receive("know_specific", assertion=STALE if proof == "old session" else None)
    if proof == "code":
        verifying.answer(verifying.codes[0])

    assert len(verifying.codes) == (1 if proof == "code" else 0)
    assert verifying.case.reached is Degree.REASONABLE
    assert verifying.driver.bodies(VerificationConcluded) == []

    verifying.present(FRESH)

    [concluded] = verifying.driver.bodies(VerificationConcluded)
    assert (concluded.conclusion, concluded.method) == ("verified", "account_assertion")


def test_without_an_account_a_code_is_sent_sealed_and_announced_without_it() -> None:
    verifying = Verifying()

    step = verifying.receive("delete")

    [notice], [issued] = step.bodies(SendNotice), step.bodies(ChallengeIssued)
    [code] = verifying.codes
    assert len(code) == 8
    assert code.isdigit()
    assert notice.kind == "verification_code"
    assert notice.expires_at == notice.send_by == issued.expires_at
    assert code not in verifying.case.model_dump_json()
    assert verifying.driver.bodies(VerificationConcluded) == []


@pytest.mark.parametrize("assertion", [FOREIGN, FRESH.model_copy(update={"refused": "expired"})])
def test_an_assertion_that_does_not_count_is_reported_and_answered_with_a_code(
    assertion: AssertionFound | None,
) -> None:
    verifying = Verifying()

    step = verifying.receive("delete", assertion=assertion)

    [failed] = step.bodies(ChallengeFailed)
    assert failed.method == "account_assertion"
    assert failed.reason in {"other_subject", "expired"}
    assert len(verifying.codes) == 1


@pytest.mark.parametrize("fault", ["no_email", "claims_unreadable"])
def test_nobody_is_sent_a_code_where_there_is_no_address(fault: ClaimsFault) -> None:
    verifying = Verifying()

    step = verifying.receive("delete", claims=ClaimsFound(fault=fault))

    assert step.sent == ()
    assert verifying.driver.wake_at is not None


def test_an_account_proves_nothing_about_a_request_that_claims_no_address() -> None:
    step = Verifying().receive("delete", claims=ClaimsFound(fault="no_email"), assertion=FRESH)

    assert [fact.reason for fact in step.bodies(ChallengeFailed)] == ["no_email"]
    assert step.bodies(VerificationConcluded) == []


def test_an_assertion_under_an_older_hash_key_still_finds_its_request() -> None:
    rotated = FRESH.model_copy(update={"email_hashes": ("2:" + "f" * 64, SUBJECT)})

    step = Verifying().receive("delete", claims=CLAIMED, assertion=rotated)

    assert [fact.conclusion for fact in step.bodies(VerificationConcluded)] == ["verified"]
