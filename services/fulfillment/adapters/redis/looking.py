"""Going through keys: page by page, each once, and not for ever."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from redis.asyncio import Redis

from services.fulfillment.adapters.redis.failures import told
from services.fulfillment.adapters.redis.patterns import Pattern
from services.fulfillment.rowwise.rows import RowFailure

LOOK_SECONDS = 25.0
PAGE = 500


@dataclass(frozen=True, slots=True)
class Reach:
    """The server, and how much is too much."""

    client: Callable[[], Redis]
    most: int


async def scan(client: Redis, pattern: Pattern, glob: str) -> AsyncIterator[list[str]]:
    """The keys of a pattern.

    Raises:
        RowFailure: it takes longer than an attempt may.
        StoreFailure: the server could not be asked.
    """
    until = asyncio.get_running_loop().time() + LOOK_SECONDS
    cursor, seen = 0, set[str]()
    while True:
        with told(f"{pattern.text}.scan"):
            cursor, found = await client.scan(cursor, match=glob, count=PAGE)
        fresh = {key for key in map(str, found) if pattern.read(key)} - seen
        seen |= fresh
        yield sorted(fresh)
        if not cursor:
            return
        if asyncio.get_running_loop().time() > until:
            raise RowFailure("unbounded", f"{pattern.text}: more keys than can be gone through in time")
