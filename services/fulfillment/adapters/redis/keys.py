"""A collection whose rows are keys of their own: `customer:{id}`."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from redis.asyncio import Redis

from services.fulfillment.adapters.redis import contents
from services.fulfillment.adapters.redis.contents import Content
from services.fulfillment.adapters.redis.failures import told
from services.fulfillment.adapters.redis.looking import PAGE, scan
from services.fulfillment.adapters.redis.table import RedisTable
from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.spelling import is_spelling_of, sought
from services.fulfillment.ports import Key
from services.fulfillment.rowwise.documents import DOCUMENT, changed
from services.fulfillment.rowwise.rows import Row, RowFailure, same


class KeyTable(RedisTable):
    """One collection of the map."""

    counted = "keys"

    async def matching(self, column: str, seed: str, match: Match) -> list[Row]:
        if self.pattern.columns == (column,) and match in {"exact", "sha256"}:
            return await self._read([self.pattern.key({column: sought(seed, match)})])
        return await self._through(lambda row: _spelt(row.get(column), seed, match), column, self._reach.most)

    async def having(self, column: str, values: Sequence[object], *, most: int) -> list[Row]:
        if self.pattern.columns == (column,):
            return await self._read([self.pattern.key({column: str(value)}) for value in values])
        return await super().having(column, values, most=most)

    async def held(self, keys: Sequence[Key]) -> dict[Key, Row]:
        named = {self._key(key): key for key in keys}
        rows = await self._read(list(named))
        return {named[self._key(self.shape.key_of(row))]: row for row in rows}

    async def erase(self, rows: Mapping[Key, Row]) -> int:
        return await self._alone(rows, lambda asked, key, _row, _now: asked.unlink(key))

    async def change(self, rows: Mapping[Key, Row], values: Callable[[Row], Mapping[str, Any]]) -> int:
        def write(asked: Any, key: str, row: Row, now: Content) -> None:
            contents.write(asked, key, now, changed(now.document, values(row)))

        return await self._alone(rows, write, values)

    async def sample(self, count: int) -> list[Mapping[str, Any]]:
        """The documents of some keys, with what stands in these."""
        async for keys in scan(self._reach.client(), self.pattern, self.pattern.glob({})):
            if keys:
                return [
                    self._document(key, each) for key, each in (await self._contents(keys[:count])).items()
                ]
        return []

    async def _alone(
        self,
        rows: Mapping[Key, Row],
        do: Callable[[Any, str, Row, Content], Any],
        values: Callable[[Row], Mapping[str, Any]] | None = None,
    ) -> int:
        """One transaction, void if any of the keys is written meanwhile; what is not as it was read is left."""
        keyed = {self._key(key): row for key, row in rows.items()}
        asked: Any
        with told(f"{self.name}.change", changes=True):
            async with self._reach.client().pipeline(transaction=True) as asked:
                await asked.watch(*keyed)
                now = await self._contents(list(keyed))
                mine = [key for key, each in now.items() if self._as_read(key, each, keyed[key], values)]
                asked.multi()
                for key in mine:
                    do(asked, key, keyed[key], now[key])
                await asked.execute()
        return len(mine)

    def _as_read(
        self, key: str, now: Content, row: Row, values: Callable[[Row], Mapping[str, Any]] | None
    ) -> bool:
        created = self.collection.created_at
        guarded = {*(values(row) if values else ()), *([created.field] if created else [])}
        fresh = self._row(key, now)
        return all(fresh.get(column) == row.get(column) for column in guarded)

    async def _rows(self) -> AsyncIterator[Row]:
        async for keys in scan(self._reach.client(), self.pattern, self.pattern.glob({})):
            for row in await self._read(keys):
                yield row

    async def _read(self, keys: Sequence[str]) -> list[Row]:
        found: dict[str, Content] = {}
        for start in range(0, len(keys), PAGE):
            found |= await self._contents(keys[start : start + PAGE])
        rows = [self._row(key, content) for key, content in found.items()]
        fixed = (self.collection.where or {}).items()
        return [row for row in rows if all(same(row.get(name), value) for name, value in fixed)]

    async def _contents(self, keys: Sequence[str]) -> dict[str, Content]:
        client: Redis = self._reach.client()
        with told(f"{self.name}.read"):
            return await contents.read(client, keys) if keys else {}

    def _row(self, key: str, content: Content) -> Row:
        return {**self.documents.row(self._document(key, content)), DOCUMENT: content.document}

    def _document(self, key: str, content: Content) -> Mapping[str, Any]:
        """What stands in the key itself is believed before what stands under it."""
        if "\ufffd" in key:
            raise RowFailure("schema", f"{self.name}: a key is no text")
        return {**content.document, **(self.pattern.read(key) or {})}

    def _key(self, key: Key) -> str:
        return self.pattern.key(self._named(key))


def _spelt(value: object, seed: str, match: Match) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(is_spelling_of(each, seed, match) for each in values)
