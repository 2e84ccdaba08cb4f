"""How verification ends, exactly once: not needed, verified, downgraded to another right, or failed."""

from dataclasses import dataclass

from services.verification.domain.case import Asked, Draft, VerificationCase, needed_degree, reaches
from shared.events.verification import Conclusion, VerificationConcluded
from shared.machine.decision import Context, Outgoing
from shared.policy import Degree, Right, load_regime, verification_rule


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may now be done, and why not what was asked."""

    conclusion: Conclusion
    right: Right
    reason: str | None = None


def conclude_if_proved(draft: Draft, context: Context) -> Draft:
    """End it at once where nothing has to be proved (11 CCR 7060(b)) or enough was."""
    case = draft.case
    if case.asked is None or case.is_over:
        return draft
    needed = needed_degree(case.asked)
    if needed is Degree.NONE:
        return _conclude(draft, Verdict("not_needed", case.asked.right), context)
    if reaches(case.reached, needed):
        return _conclude(draft, Verdict("verified", case.asked.right), context)
    return draft


def conclude_if_late(draft: Draft, context: Context) -> Draft:
    """End it when the answer needs the days that are left; the clock never waited (11 CCR 7021(b))."""
    case = draft.case
    until = case.verify_until
    if case.asked is None or case.is_over or until is None or context.now < until:
        return draft
    return _conclude(draft, _late(case, case.asked), context)


def _late(case: VerificationCase, asked: Asked) -> Verdict:
    """Specific pieces that cannot be verified are evaluated as a categories request (11 CCR 7024(a))."""
    regime = load_regime(asked.regime)
    unverified = regime.right(asked.right).on_unverified
    lesser = unverified.to if unverified else None
    if lesser is not None and reaches(case.reached, verification_rule(regime, lesser).degree):
        return Verdict("downgraded", lesser, "degree_not_reached")
    return Verdict("failed", asked.right, _why_failed(case))


def _why_failed(case: VerificationCase) -> str:
    if case.reached is not Degree.NONE:
        return "degree_not_reached"
    if case.fault is not None:
        return case.fault
    challenge = case.challenge
    exhausted = challenge is not None and challenge.attempts_left == 0
    return "too_many_attempts" if exhausted else "no_valid_answer"


def _conclude(draft: Draft, verdict: Verdict, context: Context) -> Draft:
    case = draft.case
    assert case.asked is not None  # noqa: S101 - narrows; both callers looked
    fact = VerificationConcluded(
        business=case.asked.business,
        conclusion=verdict.conclusion,
        right=verdict.right,
        degree=case.reached,
        method=case.method,
        reason=verdict.reason,
        subject_hash=case.subject_hash,
        concluded_at=context.now,
        audit_head="",
    )
    ended = case.model_copy(update={"concluded": verdict.conclusion, "challenge": None, "presented": None})
    return draft.saying(ended, Outgoing(fact))
