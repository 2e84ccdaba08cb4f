"""What no rule may decide: an appeal, and whether more is answered than the law asks for. A person does, and says why.

Civ. Code 1798.130(b) lets a business stop at two answers in twelve months; nothing here ever does so by itself.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.fulfillment.domain.case import FulfillmentCase, Review
from services.fulfillment.domain.planning import REVIEW
from shared.events.grounds import explained
from shared.policy import limit_of, load_regime
from shared.policy.dates import local_date
from shared.policy.rights import Right

# The kind of TaskNeedsPerson that asks for a decision.
NEEDS_DECISION: Final = "decision"


@dataclass(frozen=True, slots=True)
class AnsweredBefore:
    """When the same person's earlier requests for the same came that were answered; found in the transaction.

    `first` is their request for the same that is still open, if there is one.
    """

    received: tuple[datetime, ...]
    first: UUID | None = None


def needed(case: FulfillmentCase, right: Right) -> Review | None:
    """What a person has to decide first, if anything."""
    if case.linked is not None and case.linked.kind == "appeal":
        asked = f"{case.linked.right} of request {case.linked.request_id}"
        return Review(words=f"an appeal against the answer to {asked}; granted, that is done now")
    if not case.answered_before or case.received_at is None:
        return None
    regime = load_regime(case.regime)
    days = [local_date(at, regime.zone) for at in case.answered_before]
    limit = limit_of(regime, right, local_date(case.received_at, regime.zone), days)
    if limit is None or not limit.reached:
        return None
    said = f"{len(days)} earlier requests were answered; this need not be before {limit.again_from}"
    return Review(words=f"{said} ({limit.cite})")


def is_decided(case: FulfillmentCase, key: str) -> bool:
    """Whether the task is the wait for a decision that was made."""
    return key == REVIEW and case.review is not None and case.review.decided is not None


def is_granted(case: FulfillmentCase) -> bool:
    """Whether a person said that it is done."""
    return case.review is not None and case.review.decided == "grant"


def reason_of(case: FulfillmentCase) -> str | None:
    """Why it is denied, in that person's words; behind its word where the request came too often."""
    if case.review is None or case.review.reason is None:
        return None
    appeals = case.linked is not None and case.linked.kind == "appeal"
    return case.review.reason if appeals else explained("answered_often_enough", case.review.reason)
