"""The words of the answer's page in each language; those of purposes and sources stand in the data maps."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from services.fulfillment.datamap.statutory import WORDS
from shared.policy.reading import read_yaml
from shared.privacy.claims import Language

FOLDER: Final = Path(__file__).parent / "words"


class Words(BaseModel):
    """One file of `words/`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language
    categories: Mapping[str, str]
    kinds: Mapping[str, str]
    held: str
    months: tuple[str, ...]
    date: str
    page: Mapping[str, str | tuple[str, str]]

    def category(self, name: str) -> str:
        """A category of the statute in words, with its place."""
        return self.categories.get(name) or dict[str, str](**WORDS).get(name, name)

    def withheld(self, kind: str) -> str:
        """That a value of a kind is held which may not be shown."""
        return self.held.format(kind=self.kinds.get(kind, kind.replace("_", " ")))

    def day(self, written: str) -> str:
        """A day, given as ISO 8601, as people write it."""
        year, month, day = written[:10].split("-")
        return self.date.format(month=self.months[int(month) - 1], day=int(day), year=year)


@cache
def words_of(language: Language) -> Words:
    """The words of a language; a missing one is an error at once."""
    return Words.model_validate(read_yaml((FOLDER / f"{language}.yaml").read_bytes()))
