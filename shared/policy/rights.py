"""What a person may ask for, and how sure we must be of who asks: two closed lists for every service."""

from enum import StrEnum
from typing import Final


class Right(StrEnum):
    """What is asked. Regimes give a right its clocks; no regime adds a right to this list."""

    KNOW_CATEGORIES = "know_categories"
    KNOW_SPECIFIC = "know_specific"
    DELETE = "delete"
    CORRECT = "correct"
    OPT_OUT = "opt_out"
    LIMIT = "limit"
    OPT_IN = "opt_in"
    OPT_OUT_ADMT = "opt_out_admt"
    ACCESS_ADMT = "access_admt"
    APPEAL_ADMT = "appeal_admt"
    SHINE_THE_LIGHT = "shine_the_light"
    PORTABILITY = "portability"
    RESTRICT = "restrict"
    OBJECT = "object"
    APPEAL = "appeal"


class Degree(StrEnum):
    """How sure we must be that the requester is the subject (11 CCR 7060, 7062)."""

    NONE = "none"
    REASONABLE = "reasonable"
    REASONABLY_HIGH = "reasonably_high"


ALIASES: Final = {"know": Right.KNOW_SPECIFIC, "access": Right.KNOW_SPECIFIC}


class UnknownRightError(ValueError):
    """The text names no right. The text itself is kept out of the sentence: it may hold anything."""

    def __init__(self) -> None:
        names = ", ".join(Right)
        super().__init__(f"right must be one of {names} (know and access mean know_specific)")


def parse_right(text: str) -> Right:
    """Answer with the canonical right for a name or an alias, or say which names there are."""
    if text in ALIASES:
        return ALIASES[text]
    try:
        return Right(text)
    except ValueError:
        raise UnknownRightError from None
