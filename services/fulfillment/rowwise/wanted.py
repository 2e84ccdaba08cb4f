"""Which rows are looked for: these columns together hold one of these values, spelt as the map says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.spelling import sought, telephone_spellings

Values = tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Wanted:
    """A condition that a format may look for in its own fast way first; `holds` decides."""

    columns: tuple[str, ...]
    values: frozenset[Values]
    match: Match = "exact"

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether a row is meant."""
        found = [row.get(column) for column in self.columns]
        if any(isinstance(value, list) for value in found):
            every = product(*(value if isinstance(value, list) else [value] for value in found))
            return any(self._spelt(one) in self.values for one in every)
        return self._spelt(found) in self.values

    def _spelt(self, found: Iterable[Any]) -> Values | None:
        """Values of these columns, spelt for comparison; None where one is missing."""
        values = tuple(found)
        if any(value is None for value in values):
            return None
        return tuple(spelt(value, self.match) for value in values)


def spelt(value: Any, match: Match) -> str:
    """A value as values are compared: 12 is "12", and true is "true"."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    match match:
        case "digits":
            return "".join(character for character in text if character.isdigit())
        case "lower" | "sha256":
            return text.strip().lower()
    return text


def identity(column: str, seed: str, match: Match) -> Wanted:
    """The rows in which the column is this identity."""
    spellings = telephone_spellings(seed) if match == "digits" else [sought(seed, match)]
    return Wanted((column,), frozenset((each,) for each in spellings if each), match)


def equal(columns: Sequence[str], values: Iterable[Sequence[Any]]) -> Wanted:
    """The rows in which the columns equal one of the values."""
    return Wanted(tuple(columns), frozenset(tuple(spelt(each, "exact") for each in one) for one in values))
