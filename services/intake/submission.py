"""What one submission asks, read and in normal form, or why it cannot become a request."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.events.fulfillment import Resolution
from shared.events.intake import Channel, Requester
from shared.policy import Right
from shared.privacy import Claims

KNOW: Final = frozenset({Right.KNOW_CATEGORIES, Right.KNOW_SPECIFIC})
# Civ. Code 1798.130(a)(2)(B): the right to know reaches back to data collected on or after this day.
KNOW_REACHES_TO: Final = date(2022, 1, 1)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a submission is refused: a closed word, the field at fault and what to do; never what was sent."""

    reason: str
    field: str | None
    remedy: str


class First(BaseModel):
    """The earlier request as intake knows it, read before the rules judge what follows from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    business: str
    regime: str
    right: Right
    is_answered: bool
    resolution: Resolution | None


class Follows(BaseModel):
    """Which earlier request a submission says that it follows from; `first` is None where there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["appeal", "again"]
    request_id: UUID
    first: First | None = None


class Submission(BaseModel):
    """A submission that reads well, whatever channel it came by; its repr shows nobody.

    `received_at` is when an upstream channel took it in; without one it is now. `fingerprints` are keyed
    hashes of the content, one for each version of the key, by which a repetition is told from a change.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    business: str
    regime: str
    right: Right
    requester: Requester
    channel: Channel
    claims: Claims
    assertion: str | None = None
    follows: Follows | None = None
    received_at: AwareDatetime | None = None
    fingerprints: tuple[str, ...]

    def __repr__(self) -> str:
        return "Submission(hidden)"

    __str__ = __repr__
