"""One service's outbox as tests look at it, in memory and in PostgreSQL: the contract suite runs on both."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from shared.machine.ports import OutboxRow, Store, Writes
from shared.outbox.ports import Outbox
from shared.outbox.storage import PostgresOutbox
from tests.support.memory_outbox import SEEN_SECONDS, MemoryOutbox
from tests.support.memory_store import MemoryStore, MemoryTables
from tests.support.store_worlds import PostgresWorld


class OutboxWorld(Protocol):
    """An outbox, the store whose transactions fill it, and what happens to relays meanwhile."""

    outbox: Outbox
    store: Store

    async def frozen(self, owner: str) -> None:
        """A relay stood still for longer than its lease, and than others remember it."""
        ...

    async def published(self) -> list[bytes]:
        """The values of the records that are marked, in order."""
        ...


class MemoryOutboxWorld:
    """Dictionaries."""

    def __init__(self) -> None:
        self._tables = MemoryTables()
        self._memory = MemoryOutbox(self._tables)
        self.outbox: Outbox = self._memory
        self.store: Store = MemoryStore(self._tables)

    async def frozen(self, owner: str) -> None:
        self._memory.seen[owner] = self._tables.seconds - SEEN_SECONDS - 1
        for shard in self._memory.shards:
            if shard.owner == owner:
                shard.until = self._tables.seconds - 1

    async def published(self) -> list[bytes]:
        return [self._tables.outbox[number].value for number in sorted(self._memory.published)]


class PostgresOutboxWorld:
    """A service's schema, with the service's own rights."""

    def __init__(self, world: PostgresWorld) -> None:
        self._pool = world.pool
        self.outbox: Outbox = PostgresOutbox(world.pool)
        self.store: Store = world.store

    async def empty(self) -> None:
        """No relay has ever been there."""
        await self._pool.execute(
            "UPDATE outbox_shards SET owner = '', epoch = 0, lease_until = '-infinity'; DELETE FROM outbox_relays"
        )

    async def frozen(self, owner: str) -> None:
        past = "clock_timestamp() - interval '16 seconds'"
        shards = f"UPDATE outbox_shards SET lease_until = {past} WHERE owner = $1"  # noqa: S608 - our own words
        await self._pool.execute(shards, owner)
        relays = f"UPDATE outbox_relays SET seen_at = {past} WHERE owner = $1"  # noqa: S608 - our own words
        await self._pool.execute(relays, owner)

    async def published(self) -> list[bytes]:
        query = "SELECT value FROM outbox WHERE published_at IS NOT NULL ORDER BY id"
        return [row["value"] for row in await self._pool.fetch(query)]


@asynccontextmanager
async def writing(world: OutboxWorld, *rows: OutboxRow) -> AsyncIterator[None]:
    """A transaction that has written these records, and commits when it is left."""
    async with world.store.transaction() as transaction:
        await transaction.write(Writes(outbox=list(rows)))
        yield


async def put(world: OutboxWorld, *rows: OutboxRow) -> None:
    """Leave these records behind, as a transaction of the shell would."""
    async with writing(world, *rows):
        pass
