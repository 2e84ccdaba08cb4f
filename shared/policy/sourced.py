"""What every statement of law carries: where it is written, since when, and how sure we are."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Words = Annotated[str, Field(min_length=3)]


class Strict(BaseModel):
    """Policy data: frozen, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Confidence(StrEnum):
    """How the statement was checked; only UNCONFIRMED keeps a right from being offered."""

    STATUTE = "S"
    TEXT_OF_2026 = "S26"
    TEXT_OF_2023 = "S23"
    UNCONFIRMED = "K"
    HOUSE_POLICY = "P"


class Effective(Strict):
    """The days on which a rule is law, both ends included."""

    first: date = Field(alias="from")
    last: date | None = Field(default=None, alias="to")

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


class Rule(Strict):
    """What every statement of law carries."""

    cite: Words
    effective: Effective
    confidence: Confidence


class Statement(Rule):
    """A duty, a ground or a kind of value, under an id that code and data files use."""

    id: Identifier
    words: Words
