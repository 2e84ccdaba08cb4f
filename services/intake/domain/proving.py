"""What the requester gives to prove who they are goes on to verification, sealed."""

from services.intake.domain.case import IntakeCase
from services.intake.domain.hearing import Heard, Verdict, refused, unchanged
from services.intake.messages import PresentProof
from shared.events.commands import AnswerChallenge, PresentAssertion
from shared.machine.decision import Decision, Outgoing, sealing

MOST_PROOFS = 12


def presented(case: IntakeCase, heard: Heard) -> Verdict:
    """Pass on a code or an assertion, a bounded number of times per request."""
    body = heard.message.body
    if not isinstance(body, PresentProof):
        raise TypeError
    seen = str(heard.message.id)
    if seen in case.proofs:
        return unchanged(case)
    refusal = _refusal(case)
    if refusal is not None:
        return refused(case, refusal)
    counted = case.model_copy(update={"proofs": (*case.proofs, seen)})
    return Decision(counted, commands=(_command(body),))


def _refusal(case: IntakeCase) -> str | None:
    # An opt-out is never verified (11 CCR 7060(b)): it has no date to be verified by.
    verifiable = case.clocks is not None and case.clocks.verify_by is not None
    reasons = (
        ("unknown_request", case.clocks is None),
        ("not_verified", not verifiable),
        ("not_open", not case.is_open or case.verified is not None),
        ("too_many_proofs", len(case.proofs) >= MOST_PROOFS),
    )
    return next((reason for reason, applies in reasons if applies), None)


def _command(body: PresentProof) -> Outgoing:
    if body.code is not None:
        return sealing(AnswerChallenge(code=""), code=body.code.encode())
    return sealing(PresentAssertion(assertion=""), assertion=(body.assertion or "").encode())
