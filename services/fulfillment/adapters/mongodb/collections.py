"""One collection: its documents looked up, and changed only where they still are as they were read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import DeleteOne, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from services.fulfillment.adapters.mongodb.conditions import Condition, equal, identity, owned
from services.fulfillment.adapters.mongodb.failures import told
from services.fulfillment.adapters.mongodb.values import plain, spellings
from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.model import MapCollection
from services.fulfillment.datamap.spelling import is_spelling_of
from services.fulfillment.ports import Key
from services.fulfillment.rowwise.documents import DOCUMENT, DocumentShape, changed
from services.fulfillment.rowwise.rows import Row, RowFailure, RowShape
from services.fulfillment.too_much import matches_of_one

LOOKED_UP_AT_ONCE = 500

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one identity may match, and how long a search may last."""

    most: int
    seconds: float


class MongoTable:
    """One collection of the map."""

    def __init__(
        self,
        collection: MapCollection,
        reach: Callable[[], AsyncCollection[Document]],
        *,
        bounds: Bounds,
        complete: bool,
    ) -> None:
        self.collection = collection
        self.documents = DocumentShape(collection, collection.primary_key, complete)
        self._reach = reach
        self._bounds = bounds

    @property
    def name(self) -> str:
        return self.collection.name

    @property
    def shape(self) -> RowShape:
        return self.documents

    def found_by(self, column: str) -> bool:
        """Documents can be searched by anything; an index makes it quick."""
        return column in self.collection.fields

    async def matching(self, column: str, seed: str, match: Match) -> list[Row]:
        rows = await self._found(identity(column, seed, match), f"{column}", self._bounds.most)
        return [row for row in rows if _is_spelling(row.get(column), seed, match)]

    async def having(self, column: str, values: Sequence[object], *, most: int) -> list[Row]:
        rows: list[Row] = []
        for start in range(0, len(values), LOOKED_UP_AT_ONCE):
            chunk = values[start : start + LOOKED_UP_AT_ONCE]
            rows += await self._found(equal(column, chunk), column, most - len(rows))
        return rows

    async def held(self, keys: Sequence[Key]) -> dict[Key, Row]:
        found: dict[Key, Row] = {}
        for start in range(0, len(keys), LOOKED_UP_AT_ONCE):
            chunk = keys[start : start + LOOKED_UP_AT_ONCE]
            rows = await self._found({"$or": [self._named(key) for key in chunk]}, "key", len(chunk) * 2)
            wanted = {tuple(map(str, key)): key for key in chunk}
            for row in rows:
                key = wanted.get(tuple(map(str, self.shape.key_of(row))))
                if key is not None:
                    found[key] = row
        return found

    async def erase(self, rows: Mapping[Key, Row]) -> int:
        with told(f"{self.name}.erase", changes=True):
            result = await self._reach().bulk_write(
                [DeleteOne(self._as_read(row, ())) for row in rows.values()], ordered=False
            )
        return result.deleted_count

    async def change(self, rows: Mapping[Key, Row], values: Callable[[Row], Mapping[str, Any]]) -> int:
        operations = [self._update(row, values(row)) for row in rows.values()]
        with told(f"{self.name}.change", changes=True):
            result = await self._reach().bulk_write(operations, ordered=False)
        return result.modified_count

    def _update(self, row: Row, values: Mapping[str, Any]) -> UpdateOne:
        after = changed(row[DOCUMENT], values)
        return UpdateOne(self._as_read(row, after), {"$set": after})

    def _as_read(self, row: Row, columns: Sequence[str] | Mapping[str, Any]) -> Condition:
        """This document, if its time of creation and what is about to be replaced are still what was read."""
        document = row[DOCUMENT]
        created = self.collection.created_at
        guarded = {*columns, *([created.field.split(".")[0]] if created else [])}
        said = {name: document.get(name, {"$exists": False}) for name in guarded}
        return {**said, "_id": document["_id"]}

    def _named(self, key: Key) -> Condition:
        parts = zip(self.shape.key, key, strict=True)
        return {column: {"$in": spellings(part)} for column, part in parts}

    async def _found(self, condition: Condition, where: str, most: int) -> list[Row]:
        with told(f"{self.name}.{where}"):
            cursor = self._reach().find(owned(condition, self.collection.where)).limit(most + 1)
            documents = await cursor.max_time_ms(int(self._bounds.seconds * 1000)).to_list()
        if len(documents) > most:
            raise RowFailure("unbounded", matches_of_one(most, f"documents of {self.name}", where))
        return [self._row(document) for document in documents]

    def _row(self, document: Document) -> Row:
        row = self.documents.row(document)
        return {name: value if name == DOCUMENT else plain(value) for name, value in row.items()}


def _is_spelling(value: object, seed: str, match: Match) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(is_spelling_of(each, seed, match) for each in values)
