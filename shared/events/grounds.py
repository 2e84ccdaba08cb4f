"""Why a person denied a request: a word of ours that is counted (11 CCR 7102(a)), and what the requester is told."""

from typing import Final, Literal, get_args

PersonsGround = Literal["not_by_the_consumer", "suspected_fraud", "unfounded_or_excessive"]
BY_A_PERSON: Final[frozenset[str]] = frozenset(get_args(PersonsGround))
OftenEnough = Literal["answered_often_enough"]
"""Answered as often as the law asks within its time (to know: twice in 12 months, Civ. Code 1798.130(b))."""
EXPLAINED: Final = BY_A_PERSON | frozenset(get_args(OftenEnough))
_BETWEEN: Final = ": "


def explained(ground: PersonsGround | OftenEnough, reason: str) -> str:
    """The ground of a denial as RequestFulfilled states it."""
    return f"{ground}{_BETWEEN}{reason}"


def kind_of(ground: str | None) -> str | None:
    """The word in front; a ground without an explanation, or in somebody's own words, stays as it is."""
    word = (ground or "").partition(_BETWEEN)[0]
    return word if word in EXPLAINED else ground


def explanation_of(ground: str | None) -> str | None:
    """What stands behind the word, if one of those words stands in front."""
    word, _, reason = (ground or "").partition(_BETWEEN)
    return reason or None if word in EXPLAINED else None
