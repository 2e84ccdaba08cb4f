"""The folder in which a person hands over a copy: a JSON file for each reference, forgotten after some days."""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.model import DataMap, MapCollection
from services.fulfillment.ports import Key, Subject
from services.fulfillment.rowwise.rows import Row, RowFailure, RowShape
from shared.canonical import canonical_json

REFERENCE_LENGTH = 20


@dataclass(frozen=True, slots=True)
class _Shape(RowShape):
    """What a person wrote down has no key of its own: it is shown as it stands there."""

    def key_of(self, row: Row) -> Key:
        return (str(sorted(row.items(), key=str)),)


class HandedTable:
    """One collection, as the map has it."""

    def __init__(self, collection: MapCollection) -> None:
        self.collection = collection
        self.name = collection.name
        self.shape: RowShape = _Shape(collection, ())

    def found_by(self, column: str) -> bool:
        """A person is not asked by column."""
        return False

    async def matching(self, column: str, seed: str, match: Match) -> list[Row]:
        return []

    async def having(self, column: str, values: Sequence[object], *, most: int) -> list[Row]:
        return []


class Handed:
    """What people handed over for one system."""

    def __init__(self, folder: str, key: str, datamap: DataMap) -> None:
        self._folder = Path(folder)
        self._key = key.encode()
        self.datamap = datamap

    def __getitem__(self, name: str) -> HandedTable:
        return HandedTable(self.datamap.collections[name])

    def is_there(self) -> bool:
        """Whether the folder is there."""
        return self._folder.is_dir()

    def reference(self, subject: Subject) -> str:
        """The same for the same person, and telling nothing of them."""
        seeds = canonical_json(dict(subject.seeds))
        return hmac.new(self._key, seeds, "sha256").hexdigest()[:REFERENCE_LENGTH]

    def rows(self, reference: str) -> Mapping[str, list[dict[str, Any]]] | None:
        """What was found, by collection; None where nobody has looked yet.

        Raises:
            RowFailure: the file is not what it should be.
        """
        try:
            text = (self._folder / f"{reference}.json").read_bytes()
        except FileNotFoundError:
            return None
        try:
            handed = json.loads(text)
        except ValueError:
            handed = None
        if not _is_by_collection(handed):
            raise RowFailure("schema", f"{reference}.json is no JSON object of lists of rows")
        for name, rows in handed.items():
            self._refuse_unknown(reference, name, {column for row in rows for column in row})
        found: Mapping[str, list[dict[str, Any]]] = handed
        return found

    def held(self, reference: str) -> dict[str, dict[Key, Row]]:
        """The same, as an export takes it."""
        rows = self.rows(reference) or {}
        return {name: {(number,): row for number, row in enumerate(each)} for name, each in rows.items()}

    def forget(self, before: datetime) -> None:
        """Remove what was handed over so long ago that its request is answered."""
        for path in self._folder.glob("*.json"):
            if path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)

    def _refuse_unknown(self, reference: str, name: str, columns: set[str]) -> None:
        collection = self.datamap.collections.get(name)
        known = set(collection.fields) if collection else set()
        if collection is None or columns - known:
            raise RowFailure("schema", f"{reference}.json names what the map lacks; see systems plan")


def _is_by_collection(handed: Any) -> bool:
    return isinstance(handed, dict) and all(
        isinstance(rows, list) and all(isinstance(row, dict) for row in rows) for rows in handed.values()
    )
