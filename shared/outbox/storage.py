"""The outbox in PostgreSQL."""

from collections.abc import Mapping, Sequence

import asyncpg

from shared.outbox import statements as sql
from shared.outbox.ports import Head, Scan
from shared.outbox.shards import SHARDS


class PostgresOutbox:
    """A service's outbox in its own schema."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def lease(self, owner: str, *, seconds: int) -> dict[int, int]:
        """Say that we are there, then take or renew our share."""
        await self._pool.execute(sql.PRESENT, owner)
        others = await self._pool.fetchval(sql.OTHERS, owner)
        share = -(-SHARDS // (others + 1))
        held = await self._pool.fetch(sql.ACQUIRE, owner, seconds, share)
        return {row["shard"]: row["epoch"] for row in held}

    async def give_back(self, owner: str, shards: Sequence[int]) -> None:
        """Let go of these shards."""
        await self._pool.execute(sql.RELEASE_SOME, owner, list(shards))

    async def heads(self, after: int, shards: Sequence[int], limit: int) -> Scan:
        """The heads of line; rows that wait behind others are stepped over, however many there are."""
        while rows := await self._pool.fetch(sql.HEADS, after, list(shards), limit):
            heads = [_head(row) for row in rows if row["is_head"]]
            if heads or len(rows) < limit:
                return Scan(heads, behind=len(heads) < len(rows), full=len(rows) == limit)
            after = rows[-1]["id"]
        return Scan()

    async def mark(self, heads: Sequence[Head], owner: str, epochs: Mapping[int, int]) -> int:
        """Month by month, so that a statement touches one partition; there is hardly ever more than one."""
        by_shard = [epochs.get(shard) for shard in range(SHARDS)]
        marked = 0
        for month in {head.opened_month for head in heads}:
            ids = [head.id for head in heads if head.opened_month == month]
            status = await self._pool.execute(sql.MARK, month, ids, owner, by_shard)
            marked += int(status.split()[-1])
        return marked

    async def block(self, head: Head, reason: str, owner: str, epoch: int) -> None:
        """Set a record aside."""
        await self._pool.execute(sql.BLOCK, head.id, head.opened_month, reason, epoch, owner)

    async def leave(self, owner: str) -> None:
        """Give everything back."""
        await self._pool.execute(sql.RELEASE, owner)
        await self._pool.execute(sql.GONE, owner)


def _head(row: asyncpg.Record) -> Head:
    return Head(*row[:-1])
