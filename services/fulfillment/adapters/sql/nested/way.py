"""What a database must be able to do with JSON for nested fields to be found, shown, replaced and proved in it.

A path goes through objects by its names, and through every array that it meets on its way or at its end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

import sqlalchemy as sa

Json: TypeAlias = sa.ColumnElement[Any]
Path: TypeAlias = tuple[str | int, ...]
"""The way to one value: names, and places in arrays."""


@dataclass(frozen=True, slots=True)
class Constant:
    """What every value at the end of a path becomes."""

    value: Any


Tree: TypeAlias = Mapping[str, "Constant | Tree"]
"""What several fields of one column become, by their names."""


@dataclass(frozen=True, slots=True)
class Values:
    """The values at a path as rows to select from, and the text of each; JSON's null has none."""

    rows: tuple[sa.FromClause, ...]
    text: sa.ColumnElement[str]


def word(text: str) -> sa.ColumnClause[Any]:
    """A word of the map or of ours in a statement as it is: no value of anybody's."""
    return sa.literal_column("'{}'".format(text.replace("'", "''")))


class Way(Protocol):
    """One database's way with a column of JSON."""

    def opens(self, kind: sa.types.TypeEngine[Any]) -> bool:
        """Whether a column of this type can be looked into."""
        ...

    def values(self, column: Json, names: Sequence[str]) -> Values:
        """Every value at the path."""
        ...

    def listed(self, column: Json, names: Sequence[str]) -> Json:
        """What stands at the path: one value, or a list of all where it goes through an array."""
        ...

    def is_not(self, column: Json, names: Sequence[str], value: Any) -> sa.ColumnElement[bool]:
        """At the path, through objects alone, stands something else, or nothing."""
        ...

    def put(self, column: Json, names: Sequence[str], value: Any) -> Json:
        """The column with this value at the path, which is made where it is not there yet."""
        ...

    def replaced_at(self, column: Json, values: Sequence[tuple[Path, Any]]) -> Json:
        """The column with these single values replaced."""
        ...

    def unreadable(self, column: Json) -> sa.ColumnElement[bool]:
        """The column holds something that is no JSON."""
        ...


@runtime_checkable
class ThroughArrays(Way, Protocol):
    """A way that puts constants through arrays by one statement; in another each value is replaced in its place."""

    def replaced(self, column: Json, tree: Tree) -> Json:
        """The column with constants in the place of all values at these paths, and nothing else changed."""
        ...
