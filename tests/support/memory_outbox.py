"""The relay's outbox without a database: proven equal to the real one by tests/contracts/outbox.

Leases run on the tables' own seconds.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from shared.machine.ports import OutboxRow
from shared.outbox.ports import Head, Scan
from shared.outbox.shards import SHARDS, shard_of
from tests.support.memory_store import MemoryTables

SEEN_SECONDS = 15


@dataclass
class Shard:
    """Who may mark a shard's records, and until when."""

    owner: str = ""
    epoch: int = 0
    until: float = -1.0


class MemoryOutbox:
    """The outbox of one service's tables."""

    def __init__(self, tables: MemoryTables) -> None:
        self.tables = tables
        self.shards = [Shard() for _ in range(SHARDS)]
        self.seen: dict[str, float] = {}
        self.published: set[int] = set()
        self.blocked: dict[int, str] = {}

    @property
    def unpublished(self) -> list[tuple[int, OutboxRow]]:
        """What is still to be sent, by id."""
        return sorted(self.tables.unpublished.items(), key=itemgetter(0))

    @property
    def has_heads(self) -> bool:
        """Whether anything could be sent: what is set aside, and what waits behind it, is not."""
        lines = {
            (row.topic, row.key) for number, row in self.tables.unpublished.items() if number in self.blocked
        }
        return any((row.topic, row.key) not in lines for row in self.tables.unpublished.values())

    async def lease(self, owner: str, *, seconds: int) -> dict[int, int]:
        """Take or renew a fair share."""
        now = self.tables.seconds
        self.seen[owner] = now
        others = [one for one, at in self.seen.items() if one != owner and at > now - SEEN_SECONDS]
        free = [number for number, one in enumerate(self.shards) if one.owner == owner or one.until < now]
        free.sort(key=lambda number: (self.shards[number].owner != owner, number))
        taken = free[: -(-SHARDS // (len(others) + 1))]
        for number in taken:
            shard = self.shards[number]
            if shard.owner != owner or shard.until <= now:
                shard.epoch += 1
            shard.owner, shard.until = owner, now + seconds
        return {number: self.shards[number].epoch for number in taken}

    async def give_back(self, owner: str, shards: Sequence[int]) -> None:
        """Let go of these shards."""
        for number in shards:
            if self.shards[number].owner == owner:
                self.shards[number].until = float("-inf")

    async def heads(self, after: int, shards: Sequence[int], limit: int) -> Scan:
        """The first record of each topic and key that is still to be published."""
        lines: set[tuple[str, str]] = set()
        found, looked_at = list[Head](), 0
        for number, row in self.unpublished:
            first = (row.topic, row.key) not in lines
            lines.add((row.topic, row.key))
            if number in self.blocked or number <= after or shard_of(row.key) not in shards:
                continue
            looked_at += 1
            if first:
                found.append(_head(number, row))
        behind = len(found) < looked_at
        return Scan(found[:limit], behind, full=looked_at >= limit) if found else Scan()

    async def mark(self, heads: Sequence[Head], owner: str, epochs: Mapping[int, int]) -> int:
        """Mark as published what still is ours."""
        mine = [head for head in heads if self._held(head.shard, owner, epochs.get(head.shard))]
        for head in mine:
            self.published.add(head.id)
            self.tables.unpublished.pop(head.id, None)
        return len(mine)

    async def block(self, head: Head, reason: str, owner: str, epoch: int) -> None:
        """Set a record aside."""
        if self._held(head.shard, owner, epoch):
            self.blocked[head.id] = reason

    async def leave(self, owner: str) -> None:
        """Give everything back."""
        await self.give_back(owner, range(SHARDS))
        self.seen.pop(owner, None)

    def _held(self, shard: int, owner: str, epoch: int | None) -> bool:
        return (self.shards[shard].owner, self.shards[shard].epoch) == (owner, epoch)


def _head(number: int, row: OutboxRow) -> Head:
    headers = json.dumps(row.headers)
    return Head(number, row.opened_month, shard_of(row.key), row.topic, row.key, headers, row.value)
