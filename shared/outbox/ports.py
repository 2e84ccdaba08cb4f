"""What the relay asks of an outbox; the memory outbox and PostgreSQL answer alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Head:
    """The first record of its topic and key that is still to be published."""

    id: int
    opened_month: date
    shard: int
    topic: str
    key: str
    headers: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Scan:
    """What a look at the outbox found: `behind` says that others wait behind these heads, `full` past the limit."""

    heads: Sequence[Head] = ()
    behind: bool = False
    full: bool = False


class Outbox(Protocol):
    """One service's records on their way out; every shard has one owner, under an epoch."""

    async def lease(self, owner: str, *, seconds: int) -> dict[int, int]:
        """Take or renew a fair share of the shards, on the database's clock; their epochs."""
        ...

    async def give_back(self, owner: str, shards: Sequence[int]) -> None:
        """Let go of these shards, so that another relay can have them."""
        ...

    async def heads(self, after: int, shards: Sequence[int], limit: int) -> Scan:
        """The heads of line of these shards, past a position, oldest first."""
        ...

    async def mark(self, heads: Sequence[Head], owner: str, epochs: Mapping[int, int]) -> int:
        """Mark records as published, as far as their shards are still ours; the number marked."""
        ...

    async def block(self, head: Head, reason: str, owner: str, epoch: int) -> None:
        """Set a record aside that can never be sent: what comes after it on its topic and key waits."""
        ...

    async def leave(self, owner: str) -> None:
        """Give everything back at once."""
        ...
