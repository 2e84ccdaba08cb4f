"""The shop in a database that speaks MongoDB's protocol."""

import gc
import warnings
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from pymongo import AsyncMongoClient

from tests.support.mongo_server import MongoGate
from tests.support.shop_in_documents import Rows


class InMongoDB:
    """A database of its own for each test."""

    kind = "mongodb"
    absent = "mongodb://127.0.0.1:1/shop"
    settings: Mapping[str, str] = {"complete": "*"}
    textual = False

    def __init__(self, server: str) -> None:
        self.gate = MongoGate(server)
        self.address = ""
        self._client: AsyncMongoClient[dict[str, Any]] | None = None

    @property
    def database(self) -> Any:
        assert self._client is not None
        return self._client.get_default_database()

    async def open(self) -> None:
        await self.gate.open()
        self.address = f"mongodb://127.0.0.1:{self.gate.port}/shop_{uuid4().hex[:12]}"
        self._client = AsyncMongoClient(self.address, tz_aware=True, uuidRepresentation="standard")

    async def close(self) -> None:
        assert self._client is not None
        await self._client.drop_database(self.database.name)
        await self._client.close()
        await self.gate.close()
        _sweep()

    async def write(self, table: str, rows: Rows) -> None:
        wanted = [_dated(row) for row in rows]
        if wanted != [_without_id(each) async for each in self.database[table].find()]:
            await self.database[table].delete_many({})
            if wanted:
                await self.database[table].insert_many(wanted)

    async def read(self, table: str) -> Rows:
        found = [_without_id(each) async for each in self.database[table].find()]
        return [{n: v.isoformat() if isinstance(v, datetime) else v for n, v in row.items()} for row in found]

    async def forbid(self, table: str) -> None:
        self.gate.refused.add(table)


def _sweep() -> None:
    """A client that is closed while one of its monitors connects forgets the socket (pymongo 4.20): it goes here.

    Later it would be found by some other test, which knows nothing of it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _without_id(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "_id"}


def _dated(row: Mapping[str, Any]) -> dict[str, Any]:
    """Times are times in documents, not texts."""
    return {n: datetime.fromisoformat(v) if n == "created_at" and v else v for n, v in row.items()}
