"""A service of the next version, as tests need one: verification's conclusion says more, so it is another type.

python -m tests.faults.newer verification
"""

import sys

from pydantic import AwareDatetime

from shared.events import verification
from shared.events.message import Body, Event, event
from shared.events.topics import VERIFIED
from shared.policy.rights import Degree, Right

_Older = verification.VerificationConcluded


@event("dsar.request.verified", version=2, topic=VERIFIED)
class VerificationConcluded(Event):
    """Verification ended; since this version it also says how sure that is."""

    business: str
    conclusion: verification.Conclusion
    right: Right
    degree: Degree
    method: verification.Method
    reason: str | None = None
    subject_hash: str | None = None
    concluded_at: AwareDatetime
    audit_head: str
    assurance: str = "stated"


def _upcast(older: Body) -> Body:
    return VerificationConcluded(**dict(older), assurance="not stated")


def upgrade() -> None:
    """From here on whoever says VerificationConcluded means the newer one; call before any service is imported."""
    assert not any(name.startswith("services.") for name in sys.modules)
    for owner, name, newer in (
        (_Older, "upcast", _upcast),
        (verification, "VerificationConcluded", VerificationConcluded),
    ):
        setattr(owner, name, newer)


if __name__ == "__main__":
    upgrade()
    from deploy.serving import run
    from deploy.settings import local_settings
    from tests.faults.service import shorten

    shorten()
    sys.exit(run(local_settings(), sys.argv[1]))
