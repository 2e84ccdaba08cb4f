"""A collection whose rows are members that many people's stand beside: the addresses in the set `mailing:{list}`."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from redis.asyncio import Redis

from services.fulfillment.adapters.redis.failures import told
from services.fulfillment.adapters.redis.looking import PAGE, scan
from services.fulfillment.adapters.redis.table import RedisTable
from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.spelling import is_spelling_of
from services.fulfillment.ports import Key
from services.fulfillment.rowwise.documents import DOCUMENT
from services.fulfillment.rowwise.rows import Row, RowFailure

MEMBER, SCORE, VALUE = "member", "score", "value"


class MemberTable(RedisTable):
    """One collection of the map: sets, sorted sets, lists, and hashes with a field for each person."""

    counted = "members"

    async def matching(self, column: str, seed: str, match: Match) -> list[Row]:
        return await self._through(
            lambda row: is_spelling_of(row.get(column), seed, match), column, self._reach.most
        )

    async def held(self, keys: Sequence[Key]) -> dict[Key, Row]:
        found: dict[Key, Row] = {}
        for key in keys:
            named = self._named(key)
            with told(f"{self.name}.read"):
                inside = await _member(self._reach.client(), self.pattern.key(named), named[MEMBER])
            if inside is not None:
                found[key] = self.documents.row({**inside, **named})
        return found

    async def erase(self, rows: Mapping[Key, Row]) -> int:
        """One transaction, void if any of the keys is written meanwhile; what is not as it was read is left."""
        asked: Any
        with told(f"{self.name}.erase", changes=True):
            async with self._reach.client().pipeline(transaction=True) as asked:
                await asked.watch(*{self.pattern.key(self._named(key)) for key in rows})
                now = await self.held(list(rows))
                mine = [key for key, row in now.items() if row[DOCUMENT] == rows[key][DOCUMENT]]
                kinds = {key: await self._kind(key) for key in mine}
                asked.multi()
                for key, kind in kinds.items():
                    named = self._named(key)
                    _REMOVE[kind](asked, self.pattern.key(named), named[MEMBER])
                await asked.execute()
        return len(mine)

    async def change(self, rows: Mapping[Key, Row], values: Callable[[Row], Mapping[str, Any]]) -> int:
        raise RowFailure("schema", f"{self.name}: a member can be erased or kept, and not changed")

    async def sample(self, count: int) -> list[Mapping[str, Any]]:
        """Some members, with what stands in their key."""
        found: list[Mapping[str, Any]] = []
        async for row in self._rows():
            found.append({name: value for name, value in row.items() if not name.startswith("\0")})
            if len(found) >= count:
                break
        return found

    async def _rows(self) -> AsyncIterator[Row]:
        client = self._reach.client()
        async for keys in scan(client, self.pattern, self.pattern.glob({})):
            for key in keys:
                with told(f"{self.name}.read"):
                    async for inside in _members(client, key):
                        yield self.documents.row({**inside, **(self.pattern.read(key) or {})})

    async def _kind(self, key: Key) -> str:
        return str(await self._reach.client().type(self.pattern.key(self._named(key))))


async def _members(client: Redis, key: str) -> AsyncIterator[dict[str, Any]]:
    kind = str(await client.type(key))
    if kind == "list":
        for member in dict.fromkeys(await client.lrange(key, 0, -1)):
            yield {MEMBER: member}
    elif kind in _THROUGH:
        async for each in _THROUGH[kind](client, key):
            yield dict(zip((MEMBER, _BESIDE[kind]), each, strict=True)) if kind in _BESIDE else {MEMBER: each}


async def _member(client: Redis, key: str, member: str) -> dict[str, Any] | None:
    """One member, if it is there."""
    match await client.type(key):
        case "set":
            return {} if await client.sismember(key, member) else None
        case "zset":
            score = await client.zscore(key, member)
            return None if score is None else {SCORE: score}
        case "hash":
            value = await client.hget(key, member)
            return None if value is None else {VALUE: value}
        case "list":
            return None if await client.lpos(key, member) is None else {}
    return None


_BESIDE = {"zset": SCORE, "hash": VALUE}
_THROUGH: dict[str, Callable[[Any, str], AsyncIterator[Any]]] = {
    "set": lambda client, key: client.sscan_iter(key, count=PAGE),
    "zset": lambda client, key: client.zscan_iter(key, count=PAGE),
    "hash": lambda client, key: client.hscan_iter(key, count=PAGE),
}
_REMOVE: dict[str, Callable[[Any, str, str], Any]] = {
    "set": lambda asked, key, member: asked.srem(key, member),
    "zset": lambda asked, key, member: asked.zrem(key, member),
    "hash": lambda asked, key, member: asked.hdel(key, member),
    "list": lambda asked, key, member: asked.lrem(key, 0, member),
}
