"""The words of a language that stand in no template: dates, subjects, the rights in plain words, grounds, counts."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from services.intake.domain.case import Did
from shared.events.grounds import explanation_of, kind_of
from shared.events.intake import NoticeKind
from shared.policy import Right
from shared.policy.reading import read_yaml
from shared.privacy.claims import Language

FOLDER: Final = Path(__file__).parent
CHOICES: Final = frozenset({Right.OPT_OUT, Right.LIMIT, Right.OPT_OUT_ADMT, Right.OPT_IN})
Counted = tuple[str, str]


class DidWords(BaseModel):
    """What was done in a system, for one record and for several."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    erased: Counted
    deidentified: Counted
    corrected: Counted
    marked: Counted
    by_hand: str


class Wording(BaseModel):
    """One file of `words/`; a person who never read the statute must understand it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language
    written: str
    months: Annotated[tuple[str, ...], Field(min_length=12, max_length=12)]
    weekdays: Annotated[tuple[str, ...], Field(min_length=7, max_length=7)]
    subjects: Mapping[NoticeKind, str]
    asked: Mapping[str, str]
    grounds: Mapping[str, str]
    did: DidWords
    exemptions: Mapping[str, str] = Field(default_factory=dict)

    def day(self, day: date) -> str:
        """A day, as people write it."""
        return self.written.format(
            weekday=self.weekdays[day.weekday()],
            month=self.months[day.month - 1],
            day=day.day,
            year=day.year,
        )

    def asked_for(self, right: Right) -> str:
        """What was asked, to stand after "a request"."""
        return self.asked.get(right, self.asked["other"])

    def ground(self, ground: str | None) -> str | None:
        """A ground in words, behind it why, in the words of the person who decided; what staff typed stays as it is."""
        if ground is None or (why := explanation_of(ground)) is None:
            return self.grounds.get(ground, ground.replace("_", " ")) if ground else None
        return f"{self.grounds[kind_of(ground) or ground]} ({why})"

    def done(self, right: Right, did: Did) -> list[str]:
        """What was done in one system, each with its count."""
        changed = self.did.marked if right in CHOICES else self.did.corrected
        counts = (
            (self.did.erased, did.erased),
            (self.did.deidentified, did.deidentified),
            (changed, did.corrected),
        )
        return [words[n != 1].format(n=n) for words, n in counts if n] or [self.did.by_hand]


@cache
def wording(language: Language) -> Wording:
    """The words of a language; a missing or unknown one is an error at once."""
    return Wording.model_validate(read_yaml((FOLDER / "words" / f"{language}.yaml").read_bytes()))
