"""Where a table's files lie: what the library does not do to them itself is done here, in a folder or in a bucket."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from deltalake import DeltaTable

from services.fulfillment.adapters.delta.bucket import TableInBucket
from services.fulfillment.buckets import NO_PLACE, account_of, place_of
from services.fulfillment.datamap.systems import System
from services.fulfillment.rowwise.store import StoreFailure

LOG = "_delta_log"


class Files(Protocol):
    """One table's files."""

    remote: bool
    """Whether an answer can be lost on its way, so that nobody knows what was done."""

    def open(self) -> DeltaTable:
        """The table as it is now.

        Raises:
            StoreFailure: the place is not there, or does not let us in.
        """
        ...

    def log(self) -> list[str]:
        """The names of the log's files."""
        ...

    def remove_log(self, names: list[str]) -> None:
        """Remove these."""
        ...

    def replaced(self, names: list[str]) -> Iterator[BinaryIO]:
        """What can still be read of files that are no longer the table's: those of these names, and older versions."""
        ...

    def forget_versions(self) -> None:
        """Remove what the store itself keeps of files that are gone."""
        ...


def files_of(system: System, name: str) -> Files:
    """The files of the table of this name below the system's address.

    Raises:
        StoreFailure: the address is none of a folder or a bucket.
    """
    place = place_of(system.address())
    if place is None:
        raise StoreFailure("credentials", NO_PLACE)
    if isinstance(place, Path):
        return TableInFolder(place, name)
    return TableInBucket(account_of(system, place), name)


class TableInFolder:
    """One below a folder."""

    remote = False

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._table = folder / name

    def open(self) -> DeltaTable:
        if not self._folder.is_dir():
            raise StoreFailure("away", "the folder that the secret names is not there")
        return DeltaTable(str(self._table))

    def log(self) -> list[str]:
        return [entry.name for entry in (self._table / LOG).iterdir()]

    def remove_log(self, names: list[str]) -> None:
        for name in names:
            (self._table / LOG / name).unlink(missing_ok=True)

    def replaced(self, names: list[str]) -> Iterator[BinaryIO]:
        for name in names:
            if (self._table / name).exists():
                with (self._table / name).open("rb") as file:
                    yield file

    def forget_versions(self) -> None:
        """A folder keeps none."""
