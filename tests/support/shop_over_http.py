"""The shop behind an HTTP interface: what the http adapter reaches in the suite that every adapter must pass.

It serves the shop's SQLite file row by row, in pages of two, to whoever shows the token, and records what it was told.
`trouble` answers the next requests in the simulator's place.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.fulfillment.adapters.http import open_adapter
from services.fulfillment.datamap.model import DataMap, MapCollection
from services.fulfillment.datamap.systems import Limits, Secret, System
from services.fulfillment.ports import Adapter
from shared.private_files import write_private
from tests.support.http_server import serving
from tests.support.shop import Shop

TOKEN = "a-made-up-token"
PAGE = 2
_DIGITS = "replace(replace(replace(replace({}, ' ', ''), '-', ''), '(', ''), ')', '')"

Trouble = Callable[[Request], Response | None]


@dataclass(frozen=True, slots=True)
class Told:
    """One request that came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class ShopServer:
    """The simulator: every table under `/tables/NAME`, every row under its key."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.told: list[Told] = []
        self.trouble: list[Trouble] = []
        self.app = Starlette(
            routes=[
                Route("/me", self._me),
                Route("/tables/{table}", self._rows),
                Route("/tables/{table}/columns", self._columns),
                Route("/tables/{table}/{key:path}", self._row, methods=["GET", "DELETE", "PATCH"]),
            ]
        )

    def asked(self, *methods: str) -> list[Told]:
        """The requests of these methods."""
        return [each for each in self.told if each.method in methods]

    async def _stopped(self, request: Request) -> Response | None:
        self.told.append(Told(request.method, request.url.path, dict(request.headers), await request.body()))
        if self.trouble and (answer := self.trouble.pop(0)(request)):
            return answer
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"error": "no such token"}, 401)
        return None

    async def _me(self, request: Request) -> Response:
        return await self._stopped(request) or JSONResponse({"name": "shop"})

    async def _columns(self, request: Request) -> Response:
        return await self._stopped(request) or JSONResponse(
            {"columns": self._names(request.path_params["table"])}
        )

    async def _rows(self, request: Request) -> Response:
        if stopped := await self._stopped(request):
            return stopped
        asked, table = request.query_params, request.path_params["table"]
        column, after = f'"{asked["by"]}"', int(asked.get("after", 0))
        left = _DIGITS.format(column) if asked.get("compare") == "digits" else f"lower({column})"
        values = [value.lower() for value in asked["value"].split(",")]
        slots = ", ".join("?" * len(values))
        found = self._select(table, f"CAST({left} AS TEXT) IN ({slots})", *values)
        more = after + PAGE if len(found) > after + PAGE else None
        return JSONResponse({"items": found[after : after + PAGE], "next": more})

    async def _row(self, request: Request) -> Response:
        if stopped := await self._stopped(request):
            return stopped
        table, where, key = self._where(request)
        rows = self._select(table, where, *key)
        if not rows:
            return JSONResponse({"error": "no such row"}, 404)
        try:
            return await self._done(request, rows[0])
        except sqlite3.IntegrityError as error:
            return JSONResponse({"error": str(error), "row": rows[0]}, 422)

    async def _done(self, request: Request, row: Mapping[str, Any]) -> Response:
        table, where, key = self._where(request)
        if request.method == "GET":
            return JSONResponse(row)
        if request.method == "DELETE":
            self._change(f"DELETE FROM {table} WHERE {where}", *key)  # noqa: S608 - our own names
            return Response(status_code=204)
        changes = json.loads(await request.body())
        assigned = ", ".join(f'"{name}" = ?' for name in changes)
        update = f"UPDATE {table} SET {assigned} WHERE {where}"  # noqa: S608 - our own names
        self._change(update, *changes.values(), *key)
        return JSONResponse(self._select(table, where, *key)[0])

    def _where(self, request: Request) -> tuple[str, str, list[str]]:
        table, key = request.path_params["table"], request.path_params["key"].split("/")
        columns = ["line_no", "order_id"] if table == "order_lines" else ["id"]
        return table, " AND ".join(f'"{name}" = ?' for name in columns), key

    def _names(self, table: str) -> list[str]:
        return [row["name"] for row in self._fetch(f"PRAGMA table_info({table})")]

    def _select(self, table: str, where: str, *values: Any) -> list[dict[str, Any]]:
        return self._fetch(f"SELECT * FROM {table} WHERE {where} ORDER BY 1", *values)  # noqa: S608 - our own names

    def _fetch(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.file, timeout=5)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(statement, values)]

    def _change(self, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.file, timeout=5)) as database:
            database.executescript("PRAGMA foreign_keys = ON; PRAGMA synchronous = OFF")
            database.execute(statement, values)
            database.commit()


class HttpShop(Shop):
    """The same shop and the same person, seen through its interface."""

    absent_address = "http://127.0.0.1:1"

    def __init__(self, home: Path) -> None:
        file = home / "shop.sqlite"
        sqlite3.connect(file).close()
        super().__init__(f"sqlite+aiosqlite:///{file}", "", home)
        self.server = ShopServer(file)
        self._serving = serving(self.server.app)

    async def open(self) -> "HttpShop":
        await super().open()
        self.adapter_url = await self._serving.__aenter__()
        return self

    async def close(self) -> None:
        await super().close()
        await self._serving.__aexit__(None, None, None)

    def system(self, url: str | None = None, limits: Limits | None = None) -> System:
        plain = super().system(url, limits)
        connector, token = self.home / "shop-connector.yaml", self.home / "token"
        connector.write_text(yaml.safe_dump(shop_connector(plain.datamap)))
        write_private(token, TOKEN.encode())
        more = {"kind": "http", "connector": connector, "secrets": {"token": Secret(file=token)}}
        return System(**{**dict(plain), **more})

    def adapter(self, system: System | None = None) -> Adapter:
        adapter = open_adapter(system or self.system())
        self._adapters.append(adapter)
        return adapter


def shop_connector(datamap: DataMap) -> dict[str, Any]:
    """The connector that a person would write for it."""
    return {
        "connector": "shop",
        "title": "Shop",
        "verified": "verified against the vendor",
        "auth": {"kind": "bearer", "secret": "token"},
        "rate": {"per_second": 10_000, "burst": 1000},
        "idempotency_header": "Idempotency-Key",
        "check": {"path": "/me"},
        "collections": {name: _collection(datamap, each) for name, each in datamap.collections.items()},
    }


def _collection(datamap: DataMap, collection: MapCollection) -> dict[str, Any]:
    name = collection.name
    row = f"/tables/{name}/" + "/".join(f"{{{{ {column} }}}}" for column in collection.primary_key)
    linked = {
        place.field
        for r in datamap.references
        for place in (r.holder, r.referenced)
        if place.collection == name
    }
    columns = sorted(linked | {f.name for f in collection.fields.values() if f.identity})
    return {
        "complete": True,
        "find": {column: _find(name, column, collection.fields[column].match) for column in columns},
        "read": {"request": {"path": row}},
        "delete": {"request": {"method": "DELETE", "path": row}},
        "update": {"request": {"method": "PATCH", "path": row, "json": "{{ changes }}"}},
        "describe": {"request": {"path": f"/tables/{name}/columns"}, "columns": "columns"},
    }


def _find(table: str, column: str, match: str) -> dict[str, Any]:
    digits = match == "digits"
    value = "{{ value[-10:] }},{{ value }}" if digits else "{{ values | join(',') }}"
    query = {"by": column, "value": value, **({"compare": "digits"} if digits else {})}
    paging = {"kind": "cursor", "next": "next", "into": "query.after"}
    return {
        "request": {"path": f"/tables/{table}", "query": query},
        "rows": "items",
        "paging": paging,
        "many": 2,
    }
