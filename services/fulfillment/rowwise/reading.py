"""What a walk asks of a system's collections, whatever they are kept in."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, Protocol, TypeAlias

from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.model import DataMap, MapCollection
from services.fulfillment.rowwise.rows import Row, RowShape

Lack: TypeAlias = Literal["missing", "closed"]
"""A mapped column is not there, or stands in something that cannot be looked into."""

SAID: Final[Mapping[Lack, str]] = {
    "missing": "is missing",
    "closed": "is nested in a column that cannot be looked into",
}


class Table(Protocol):
    """One collection of the map."""

    @property
    def name(self) -> str:
        """The collection's name."""
        ...

    @property
    def collection(self) -> MapCollection:
        """The collection, as the map has it."""
        ...

    @property
    def shape(self) -> RowShape:
        """How its rows are told apart and bounded."""
        ...

    def found_by(self, column: str) -> bool:
        """Whether rows can be asked for by this column."""
        ...

    async def matching(self, column: str, seed: str, match: Match) -> list[Row]:
        """The rows in which this column is this identity; what only resembles it is left out."""
        ...

    async def having(self, column: str, values: Sequence[object], *, most: int) -> list[Row]:
        """The rows in which this column equals one of the values."""
        ...


class Tables(Protocol):
    """All collections of a map."""

    @property
    def datamap(self) -> DataMap:
        """The map."""
        ...

    def __getitem__(self, name: str) -> Table:
        """A collection by its name."""
        ...
