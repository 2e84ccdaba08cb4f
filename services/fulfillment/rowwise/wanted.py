"""Which rows are looked for: these columns together hold one of these values, spelt as the map says."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.spelling import sought, telephone_spellings

Values = tuple[str, ...]

MOST_AT_ONCE = 20_000
"""Rows that are kept for all questions of one reading."""


@dataclass(frozen=True, slots=True, repr=False)
class Wanted:
    """A condition that a format may look for in its own fast way first; `holds` decides."""

    columns: tuple[str, ...]
    values: frozenset[Values]
    match: Match = "exact"

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether a row is meant."""
        return any(one in self.values for one in self.spelt(row))

    def spelt(self, row: Mapping[str, Any]) -> "Iterator[Values | None]":
        """What a row holds in these columns, spelt for comparison; a list's values are each taken by themselves."""
        found = [row.get(column) for column in self.columns]
        if any(isinstance(value, list) for value in found):
            every = product(*(value if isinstance(value, list) else [value] for value in found))
            yield from map(self._spelt, every)
        else:
            yield self._spelt(found)

    def _spelt(self, found: Iterable[Any]) -> Values | None:
        """Values of these columns, spelt for comparison; None where one is missing."""
        values = tuple(found)
        if any(value is None for value in values):
            return None
        return tuple(spelt(value, self.match) for value in values)


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """One question of many, and how many rows its answer may have."""

    wanted: Wanted
    most: int


class Askers:
    """Many questions as few, so that what answers them is read once; and which of them a row answers."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        alike: dict[tuple[tuple[str, ...], Match], dict[Values, list[int]]] = defaultdict(dict)
        for number, one in enumerate(asked):
            of_value = alike[one.wanted.columns, one.wanted.match]
            for values in one.wanted.values:
                of_value.setdefault(values, []).append(number)
        self._numbers = list(alike.values())
        self.wanted = [
            Wanted(columns, frozenset(values), match) for (columns, match), values in alike.items()
        ]

    def of(self, place: int, row: Mapping[str, Any]) -> set[int]:
        """Who asked for this row, that the condition at this place found."""
        numbers, found = self._numbers[place], self.wanted[place].spelt(row)
        return {number for values in found if values in numbers for number in numbers[values]}


class Answers:
    """The rows of each question, by their keys; of one that has too many, or of too many in all, none is kept."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        self._asked = asked
        self._found: list[dict[Any, Any] | None] = [{} for _ in asked]
        self._left = MOST_AT_ONCE if len(asked) > 1 else sys.maxsize

    def rows(self, number: int) -> dict[Any, Any] | None:
        """What was found for this question so far; None where nothing more is to be kept."""
        return self._found[number]

    def put(self, number: int, key: Any, row: Any) -> None:
        """Keep a row, or let go of all where they are too many."""
        rows = self._found[number]
        if rows is None:
            return
        self._left -= key not in rows
        rows[key] = row
        if len(rows) > self._asked[number].most:
            self._found[number] = None
        if self._left < 0:
            self._found = [None for _ in self._asked]

    @property
    def over(self) -> bool:
        """Nobody waits for any more rows."""
        return all(rows is None for rows in self._found)

    def all(self) -> list[list[Any] | None]:
        """Each question's rows; None where it has to be asked alone."""
        return [None if rows is None else list(rows.values()) for rows in self._found]


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
