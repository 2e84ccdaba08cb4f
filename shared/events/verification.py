"""What verification states: is this the person, to the degree that the right needs."""

from typing import Literal

from pydantic import AwareDatetime

from shared.events.message import Event, event
from shared.events.topics import JOURNAL_VERIFICATION, VERIFIED
from shared.policy.rights import Degree, Right

Conclusion = Literal["not_needed", "verified", "downgraded", "failed"]
Method = Literal["none", "account_assertion", "email_code"]


@event("dsar.request.verified", version=1, topic=VERIFIED)
class VerificationConcluded(Event):
    """Verification ended; `right` is what may now be done (after a downgrade, another right than was asked)."""

    business: str
    conclusion: Conclusion
    right: Right
    degree: Degree
    method: Method
    reason: str | None = None
    subject_hash: str | None = None
    concluded_at: AwareDatetime
    audit_head: str


@event("dsar.verification.challenge-issued", version=1, topic=JOURNAL_VERIFICATION)
class ChallengeIssued(Event):
    """The requester was asked to prove who they are; the clock does not wait for the answer (11 CCR 7021(b))."""

    method: Method
    expires_at: AwareDatetime


@event("dsar.verification.challenge-failed", version=1, topic=JOURNAL_VERIFICATION)
class ChallengeFailed(Event):
    """A proof was wrong or late; `attempts_left` says how many remain."""

    method: Method
    reason: str
    attempts_left: int
