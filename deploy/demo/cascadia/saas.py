"""The two services that Cascadia Motors rents: simulated over HTTP on this machine, each with a file and a ledger.

They run in a thread of whoever loaded the sample business, until that process ends or closes them.
"""

import json
import socket
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Row = dict[str, Any]
START_SECONDS = 20.0
NOT_FOUND = JSONResponse({"error": "not found"}, 404)


class DidNotStart(RuntimeError):
    """A simulated service was not up in time."""


@dataclass(frozen=True, slots=True)
class Store:
    """One service's file: rows, and what it was told."""

    file: Path

    def rows(self, table: str, where: str, *values: Any) -> list[Row]:
        """The rows of one table, by id."""
        with closing(sqlite3.connect(self.file, timeout=10)) as database:
            database.row_factory = sqlite3.Row
            found = database.execute(f"SELECT * FROM {table} WHERE {where} ORDER BY id", values)  # noqa: S608 - our own names
            return [dict(row) for row in found]

    def row(self, table: str, row_id: Any) -> Row | None:
        """One row, if it is there."""
        found = self.rows(table, "id = ?", row_id)
        return found[0] if found else None

    def change(self, statement: str, *values: Any, told: tuple[str, str, Any, str] | None = None) -> int:
        """Run one statement, and write down who was told to do what; the id of what it added."""
        with closing(sqlite3.connect(self.file, timeout=10)) as database:
            database.execute("PRAGMA foreign_keys = ON")
            added = database.execute(statement, values).lastrowid
            if told is not None:
                table, verb, row, key = told
                line = "INSERT INTO told (table_name, verb, row_key, idempotency_key) VALUES (?, ?, ?, ?)"
                database.execute(line, (table, verb, str(row), key))
            database.commit()
            return int(added or 0)


class _Server(uvicorn.Server):
    """Says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


class Served:
    """One application on a free port."""

    def __init__(self, app: Starlette) -> None:
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, log_config=None, log_level="critical", lifespan="off"
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> str:
        """Serve it, and give its address.

        Raises:
            DidNotStart: it was not up within some seconds.
        """
        self._thread.start()
        if not self._server.up.wait(START_SECONDS):
            raise DidNotStart("a simulated service did not start")
        return f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        """End it, and wait for its end."""
        self._server.should_exit = True
        self._thread.join(START_SECONDS)


async def body_of(request: Request) -> Mapping[str, Any]:
    """The JSON object that was sent."""
    sent = json.loads(await request.body() or b"{}")
    return sent if isinstance(sent, dict) else {}


def refused(message: str) -> Response:
    """Nobody whom we know."""
    return JSONResponse({"error": message}, 401)


def key_of(request: Request) -> str:
    """The caller's name for this request."""
    return request.headers.get("idempotency-key", "")
