"""What every format of file can do: be read stretch by stretch, and be written anew without some rows."""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, BinaryIO, Protocol, TypeAlias

from services.fulfillment.rowwise.rows import Row
from services.fulfillment.rowwise.wanted import Wanted

Change: TypeAlias = Mapping[str, Any] | None
"""New values for some columns of a row; None takes the row away."""


class Stretch(Protocol):
    """Some rows of a file, one after the other."""

    def rows(self, wanted: Wanted) -> Iterator[tuple[int, Row]]:
        """The rows that are meant, with their position in the stretch."""
        ...


class Content(Protocol):
    """One file."""

    def columns(self) -> AbstractSet[str] | None:
        """The columns that it has; None where it has no row that could tell."""
        ...

    def closed(self) -> AbstractSet[str]:
        """The mapped columns that lead into what cannot be looked into."""
        ...

    def several(self) -> AbstractSet[str]:
        """The mapped identities of which a row can hold more than one, as far as the format tells."""
        ...

    def stretches(self) -> Iterator[Stretch]:
        """All of it, from its beginning, never much at a time."""
        ...

    def rewrite(self, out: BinaryIO, decide: Callable[[Stretch], Mapping[int, Change]]) -> None:
        """Write it anew with the changes that are decided for each stretch; what is not changed stays as it is."""
        ...
