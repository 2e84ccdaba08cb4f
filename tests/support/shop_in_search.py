"""The shop in a search store."""

from collections.abc import Mapping
from typing import Any

from tests.support.http_server import serving
from tests.support.search_server import Index, SearchServer
from tests.support.shop_in_documents import Rows


class InSearch:
    """A double of its own for each test."""

    kind = "search"
    absent = "http://127.0.0.1:1"
    settings: Mapping[str, str] = {"complete": "*"}
    secrets: Mapping[str, str] = {"api_key": "made-up"}
    textual = False

    def __init__(self) -> None:
        self.server = SearchServer()
        self.address = ""
        self._serving: Any = serving(self.server.app)

    async def open(self) -> None:
        self.address = await self._serving.__aenter__()

    async def close(self) -> None:
        await self._serving.__aexit__(None, None, None)

    async def write(self, table: str, rows: Rows) -> None:
        index = self.server.indices.setdefault(table, Index())
        wanted = {str(number): row for number, row in enumerate(rows)}
        index.written = {}
        for name, row in wanted.items():
            self.server.put(table, name, row)

    async def read(self, table: str) -> Rows:
        return [dict(each["_source"]) for each in self.server.indices[table].written.values()]

    async def forbid(self, table: str) -> None:
        self.server.indices[table].blocked = True
