"""A request that follows from an earlier one: an appeal against its answer, or the same asked again.

An appeal runs under the law of the earlier request, by the clock that this law gives it. Being linked proves nothing:
the new request is verified like any other.
"""

from collections.abc import Mapping
from datetime import datetime

from services.intake.submission import First, Problem, Submission
from shared.events.intake import Linked
from shared.policy import Regime, Right
from shared.policy.dates import local_date

# What an appeal may be against: that something was not done.
DENIED = frozenset({"denied", "partial"})
ALREADY_APPEALED = Problem(
    "already_appealed", "appeals", "that answer was appealed against already, and is decided once"
)


def followed(
    submission: Submission, regimes: Mapping[str, Regime], received_at: datetime
) -> Submission | Problem:
    """The submission under the law that it falls under, or why it cannot follow from that request."""
    follows = submission.follows
    if follows is None:
        return submission
    first = follows.first
    if first is None or first.business != submission.business:
        return Problem("unknown_request", follows.kind, "give the id of a request that was made here")
    if not first.is_answered:
        return Problem("not_answered_yet", follows.kind, "wait for the answer to the earlier request")
    if follows.kind == "again":
        return submission
    return _appeal(submission, first, regimes, received_at)


def linked_to(submission: Submission) -> Linked | None:
    """What the request's facts say of the earlier one."""
    follows = submission.follows
    if follows is None or follows.first is None:
        return None
    return Linked(kind=follows.kind, request_id=follows.request_id, right=follows.first.right)


def _appeal(
    submission: Submission, first: First, regimes: Mapping[str, Regime], received_at: datetime
) -> Submission | Problem:
    if first.right is Right.APPEAL:
        return Problem(
            "appeal_of_an_appeal", "appeals", "an appeal is decided once; complain to the regulator"
        )
    if first.resolution not in DENIED:
        return Problem("nothing_denied", "appeals", "nothing was denied; ask for what is missing with again")
    regime = regimes.get(first.regime)
    if regime is None or not regime.offers(Right.APPEAL, local_date(received_at, regime.zone)):
        words = f"{first.regime} creates no appeal to the business; ask for the same with again, or complain"
        return Problem("no_appeal", "appeals", words)
    return submission.model_copy(update={"regime": first.regime})
