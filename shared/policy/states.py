"""The one shape of the laws of the American states: what differs from state to state, made a whole regime.

A state's file names its rights and gives one answer, one extension and one appeal for all of them.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from shared.policy.clockwork.periods import CalendarDays, Cap, MoreDays, Restart
from shared.policy.rights import Right
from shared.policy.rules import Applies
from shared.policy.sourced import Effective, Rule, Statement, Words

STATE_SHAPE: Final = "us-state"


class StateLaw(Rule):
    """One state's file."""

    shape: Literal["us-state"]
    regime: Annotated[str, Field(pattern=r"^us-[a-z]{2}-[a-z0-9]+$")]
    words: Words
    offered: bool
    because: Words | None = None
    time_zone: str
    applies: Applies
    rights: tuple[Right, ...] = Field(min_length=1)
    since: dict[Right, Effective] = Field(default_factory=dict)
    unverified: tuple[Right, ...] = ()
    answered: CalendarDays
    extended: MoreDays | None = None
    appeal_answered: CalendarDays | None = None
    appeal_extended: MoreDays | None = None
    cap: Cap | None = None
    restarts: tuple[Restart, ...] = ()
    duties: tuple[Statement, ...] = ()
    never_disclosed: tuple[Statement, ...] = ()


class StateRight(Rule):
    """What a right means in every state that grants it."""

    words: Words


def expand(document: dict[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    """Make a state's file the document of a whole regime."""
    law = StateLaw.model_validate(document)
    named = {right: StateRight.model_validate(common[right]) for right in law.rights}
    kept = law.model_dump(by_alias=True, include=_KEPT, exclude_none=True)
    return kept | {"rights": {right: _right(law, right, named[right]) for right in law.rights}}


_KEPT: Final = {
    "regime",
    "words",
    "cite",
    "effective",
    "confidence",
    "offered",
    "because",
    "time_zone",
    "applies",
    "duties",
    "never_disclosed",
}


def _right(law: StateLaw, right: Right, named: StateRight) -> dict[str, Any]:
    source = {
        "cite": law.cite,
        "effective": law.since.get(right, law.effective).model_dump(by_alias=True),
        "confidence": law.confidence,
    }
    proof: dict[str, Any] = {"verification": {"degree": "none", **source, "confidence": named.confidence}}
    if right not in law.unverified:
        proof = {
            "verification": {"degree": "reasonable", **source, "confidence": named.confidence},
            "on_unverified": {"do": "deny", **source, "confidence": named.confidence},
        }
    return {"words": named.words, **source, **proof, "clocks": _clocks(law, right)}


def _clocks(law: StateLaw, right: Right) -> dict[str, Any]:
    appeal = right is Right.APPEAL
    named: dict[str, Rule | None] = {
        "respond": law.appeal_answered if appeal else law.answered,
        "extend": law.appeal_extended if appeal else law.extended,
        "cap": None if appeal else law.cap,
    }
    clocks: dict[str, Any] = {
        name: rule.model_dump(by_alias=True) for name, rule in named.items() if rule is not None
    }
    if not appeal:
        clocks["restarts"] = [rule.model_dump(by_alias=True) for rule in law.restarts]
    return clocks
