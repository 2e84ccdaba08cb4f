"""Is this the person, to the degree that the right needs: pure rules over one case per request.

Nothing here opens what is sealed or reads a clock: `services.verification.prepare` says what it found.
"""

from services.verification.domain.case import VerificationCase
from services.verification.domain.findings import AssertionFound, ClaimsFound, Findings
from services.verification.domain.limits import Limits
from services.verification.domain.rules import VerificationDomain

__all__ = [
    "AssertionFound",
    "ClaimsFound",
    "Findings",
    "Limits",
    "VerificationCase",
    "VerificationDomain",
]
