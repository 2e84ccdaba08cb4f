"""The shop in a real Redis: orders and the newsletter as hashes, everything else as JSON texts."""

import json
from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis

from tests.support.shop import TABLES
from tests.support.shop_in_documents import Rows

HASHES = frozenset({"orders", "newsletter"})
USER, PASSWORD = "habeas", "made-up-for-tests"


class InRedis:
    """The server's one database, emptied before each test."""

    kind = "redis"
    absent = "redis://127.0.0.1:1/0"
    textual = True

    def __init__(self, port: int) -> None:
        self.client: Redis = Redis(port=port, decode_responses=True)
        self.address = f"redis://{USER}:{PASSWORD}@127.0.0.1:{port}/0"
        keys = {f"keys.{table}": f"{table}:{{id}}" for table in TABLES}
        lines = {"keys.order_lines": "order_lines:{order_id}:{line_no}"}
        self.settings: Mapping[str, str] = {"complete": "*", **keys, **lines}

    async def open(self) -> None:
        await self.client.flushall()
        await self.client.acl_setuser(
            USER, enabled=True, reset=True, passwords=[f"+{PASSWORD}"], keys=["*"], categories=["+@all"]
        )

    async def close(self) -> None:
        await self.client.aclose()

    async def write(self, table: str, rows: Rows) -> None:
        there = await self.client.keys(f"{table}:*")
        async with self.client.pipeline() as asked:
            if there:
                asked.delete(*there)
            for row in rows:
                _put(asked, table, row)
            await asked.execute()

    async def read(self, table: str) -> Rows:
        keys = sorted(map(str, await self.client.keys(f"{table}:*")))
        async with self.client.pipeline() as asked:
            for key in keys:
                asked.hgetall(key) if table in HASHES else asked.get(key)
            return [_row(table, raw) for raw in await asked.execute()]

    async def forbid(self, table: str) -> None:
        """Nobody may delete anything any more."""
        await self.client.acl_setuser(USER, enabled=True, commands=["-unlink", "-del"])


def _put(asked: Any, table: str, row: Mapping[str, Any]) -> None:
    if table in HASHES:
        texts = {name: json.dumps(v) if isinstance(v, bool) else str(v) for name, v in row.items()}
        asked.hset(_key(table, row), mapping=texts)
    else:
        asked.set(_key(table, row), json.dumps(row))


def _row(table: str, raw: Any) -> dict[str, Any]:
    if table not in HASHES:
        found: dict[str, Any] = json.loads(raw)
        return found
    return {name: {"true": True, "false": False}.get(text, text) for name, text in raw.items()}


def _key(table: str, row: Mapping[str, Any]) -> str:
    if table == "order_lines":
        return f"order_lines:{row['order_id']}:{row['line_no']}"
    return f"{table}:{row['id']}"
