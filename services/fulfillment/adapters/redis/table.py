"""What both kinds of collection in Redis share: whatever is not in a key's name is looked for by going through all."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence

from services.fulfillment.adapters.redis.looking import Reach
from services.fulfillment.adapters.redis.patterns import Pattern
from services.fulfillment.datamap.model import MapCollection
from services.fulfillment.ports import Key
from services.fulfillment.rowwise.documents import DocumentShape
from services.fulfillment.rowwise.rows import Row, RowFailure, RowShape, same
from services.fulfillment.too_much import matches_of_one


class RedisTable(ABC):
    """One collection of the map; `counted` is what its rows are called."""

    counted = ""

    def __init__(self, collection: MapCollection, pattern: Pattern, reach: Reach, *, complete: bool) -> None:
        self.collection = collection
        self.documents = DocumentShape(collection, collection.primary_key, complete)
        self.pattern = pattern
        self._reach = reach

    @property
    def name(self) -> str:
        return self.collection.name

    @property
    def shape(self) -> RowShape:
        return self.documents

    def found_by(self, column: str) -> bool:
        """All can be gone through for anything; what stands in the key itself is quick."""
        return column in self.collection.fields

    async def having(self, column: str, values: Sequence[object], *, most: int) -> list[Row]:
        wanted = list(values)
        return await self._through(
            lambda row: any(same(row.get(column), value) for value in wanted), column, most
        )

    @abstractmethod
    def _rows(self) -> AsyncIterator[Row]:
        """Every row, page by page."""

    async def _through(self, wanted: Callable[[Row], bool], where: str, most: int) -> list[Row]:
        rows: list[Row] = []
        async for row in self._rows():
            if wanted(row):
                rows.append(row)
            if len(rows) > most:
                raise RowFailure("unbounded", matches_of_one(most, f"{self.counted} of {self.name}", where))
        return rows

    def _named(self, key: Key) -> dict[str, str]:
        return dict(zip(self.shape.key, map(str, key), strict=True))
