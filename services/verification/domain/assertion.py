"""Account assertions: believed only about the address that the request claims (11 CCR 7061)."""

from services.verification.domain.case import Draft, VerificationCase
from services.verification.domain.findings import AssertionFound
from services.verification.domain.limits import Limits
from shared.events.verification import ChallengeFailed
from shared.machine.decision import Outgoing
from shared.policy import Degree


def judge(draft: Draft, found: AssertionFound, limits: Limits) -> Draft:
    """Count it as proof, or say why it is none; a fresh sign-in reaches further than an old session."""
    case = draft.case
    refused = _refused(case, found)
    if refused is None:
        degree = Degree.REASONABLY_HIGH if found.fresh else Degree.REASONABLE
        return draft.saying(case.having_proved(degree, "account_assertion"))
    count = case.assertions_refused + 1
    left = max(0, limits.assertions - count)
    fact = ChallengeFailed(method="account_assertion", reason=refused, attempts_left=left)
    return draft.saying(case.model_copy(update={"assertions_refused": count}), Outgoing(fact))


def _refused(case: VerificationCase, found: AssertionFound) -> str | None:
    reason = found.refused or case.fault
    if reason is not None:
        return reason
    return None if case.subject_hash in found.email_hashes else "other_subject"
