"""What a store must be able to do for the adapter that changes row by row: hold, erase, change, be inspected."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from services.fulfillment.datamap.model import DataMap
from services.fulfillment.ports import CheckReport, Key, NeedsPerson, Retry
from services.fulfillment.rowwise.reading import Table
from services.fulfillment.rowwise.rows import Row

Meaning: TypeAlias = Literal["away", "busy", "unknown", "credentials", "schema", "refused", "unbounded"]


class StoreFailure(Exception):
    """An expected end of a look at a store; `unknown` means that what was sent may have been done."""

    def __init__(self, meaning: Meaning, reason: str) -> None:
        super().__init__(reason)
        self.meaning: Meaning = meaning
        self.reason = reason

    def outcome(self, retry_after: timedelta) -> Retry | NeedsPerson:
        """The answer where nothing was done."""
        match self.meaning:
            case "away" | "busy" | "unknown":
                return Retry(retry_after, self.reason)
        return NeedsPerson(self.meaning, self.reason)


@contextmanager
def told_of_address(told: Callable[[str], AbstractContextManager[None]], wanted: str) -> Iterator[None]:
    """What `told` makes of an address that is none, led by what one looks like: `such as scheme://host`.

    Raises:
        StoreFailure: the address cannot be used.
    """
    try:
        with told("address"):
            yield
    except StoreFailure as failure:
        kind = failure.reason.removeprefix("address: ")
        raise StoreFailure(failure.meaning, f"the secret holds no address {wanted} ({kind})") from None


class StoreTable(Table, Protocol):
    """One collection whose rows can be changed; every change is bound to the row as it was read."""

    async def held(self, keys: Sequence[Key]) -> dict[Key, Row]:
        """The rows of these keys that are there."""
        ...

    async def erase(self, rows: Mapping[Key, Row]) -> int:
        """Erase these rows where they still are as they were read, and count them."""
        ...

    async def change(self, rows: Mapping[Key, Row], values: Callable[[Row], Mapping[str, Any]]) -> int:
        """Give these rows new values where they still are as they were read, and count them."""
        ...


@runtime_checkable
class Settling(Protocol):
    """A table whose changes leave something behind that has to go too: older versions of what was changed."""

    async def settle(self) -> None:
        """Take it away; doing it again does no harm."""
        ...

    async def left_behind(self, keys: Sequence[Key]) -> list[Row]:
        """The rows of these keys in older versions that can still be read."""
        ...


class Store(Protocol):
    """All collections of one system."""

    @property
    def datamap(self) -> DataMap:
        """The map."""
        ...

    def __getitem__(self, name: str) -> StoreTable:
        """A collection by its name."""
        ...

    async def inspect(self) -> CheckReport:
        """Compare what is there with the map.

        Raises:
            StoreFailure: it cannot be reached, or does not let us in.
        """
        ...

    async def close(self) -> None:
        """Give back every connection."""
        ...
