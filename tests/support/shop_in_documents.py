"""The shop kept as documents: what adapters of stores without SQL reach in the suite for every one.

A database beside the store does what the suite says in SQL: it is filled from the store before a statement, and its
rows are put into the store after it. The store is read by its own client, never by the adapter.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import Limits, Secret, System
from services.fulfillment.ports import Adapter, Key
from shared.policy.reading import read_yaml
from shared.private_files import write_private
from tests.support.shop import TABLES, Shop

Rows = list[dict[str, Any]]
_FILLED: dict[str, bytes] = {}  # what the first shop was filled with, so that the others need not be
MAP = Path(__file__).with_name("shop.yaml")


class Place(Protocol):
    """Where the documents lie."""

    kind: str
    address: str
    absent: str
    settings: Mapping[str, str]
    textual: bool

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def write(self, table: str, rows: Rows) -> None:
        """Put these rows in the place of all that are there."""
        ...

    async def read(self, table: str) -> Rows: ...

    async def forbid(self, table: str) -> None:
        """Let nobody delete from this table any more."""
        ...


class DocumentShop(Shop):
    """The same shop and the same person, in documents."""

    def __init__(self, home: Path, place: Place) -> None:
        self._database = home / "shop.sqlite"
        sqlite3.connect(self._database).close()
        super().__init__(f"sqlite+aiosqlite:///{self._database}", "", home)
        self.place = place
        self._filled = False

    @property
    def absent_address(self) -> str:
        return self.place.absent

    async def open(self) -> "DocumentShop":
        await self.place.open()
        self.adapter_url = self.place.address
        if filled := _FILLED.get("shop"):
            self._database.write_bytes(filled)
        else:
            await super().open()
            _FILLED["shop"] = self._database.read_bytes()
        self._filled = True
        await self._write()
        return self

    async def close(self) -> None:
        await super().close()
        await self.place.close()

    def system(self, url: str | None = None, limits: Limits | None = None) -> System:
        seconds = getattr(self.place, "seconds", 2)
        gentle = Limits(chunk_rows=2, connect_seconds=0.3, statement_seconds=seconds)
        plain = super().system(url, limits or gentle)
        datamap = read_dataset(read_yaml(MAP.read_bytes()), file="shop.yaml", nested=True)
        secrets = {}
        for name, value in getattr(self.place, "secrets", {}).items():
            write_private(self.home / name, value.encode())
            secrets[name] = Secret(file=self.home / name)
        stated = {"kind": self.place.kind, "settings": self.place.settings, "secrets": secrets}
        more = {**stated, "datamap": datamap}
        return System(**{**dict(plain), **more})

    def expected(self, tables: Mapping[str, set[Key]]) -> dict[str, set[Key]]:
        """What a key is called by is a text."""
        if not self.place.textual:
            return dict(tables)
        return {name: {tuple(map(str, key)) for key in keys} for name, keys in tables.items()}

    def adapter(self, system: System | None = None) -> Adapter:
        adapter: Adapter = import_module(f"services.fulfillment.adapters.{self.place.kind}").open_adapter(
            system or self.system()
        )
        self._adapters.append(adapter)
        return adapter

    async def run(self, statement: str, **values: Any) -> None:
        if self._filled:
            await self._read()
        await super().run(statement, **values)
        if self._filled:
            await self._write()

    async def content(self) -> Mapping[str, list[tuple[Any, ...]]]:
        return {name: await self.rows(name) for name in TABLES}

    async def rows(self, table: str) -> list[tuple[Any, ...]]:
        return sorted(tuple(str(value) for value in row.values()) for row in await self.place.read(table))

    async def fail_on_delete(self, table: str) -> None:
        await self.place.forbid(table)

    async def _read(self) -> None:
        tables = {table: await self.place.read(table) for table in TABLES}
        with closing(sqlite3.connect(self._database)) as database:
            for table, rows in tables.items():
                database.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
                if rows:
                    slots = ", ".join(f":{name}" for name in rows[0])
                    insert = f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({slots})"  # noqa: S608 - our own names
                    database.executemany(insert, rows)
            database.commit()

    async def _write(self) -> None:
        with closing(sqlite3.connect(self._database)) as database:
            database.row_factory = sqlite3.Row
            for table in TABLES:
                kinds = {row["name"]: row["type"] for row in database.execute(f"PRAGMA table_info({table})")}
                found = [dict(row) for row in database.execute(f"SELECT * FROM {table}")]  # noqa: S608 - our own names
                rows = [{name: _typed(value, kinds[name]) for name, value in row.items()} for row in found]
                await self.place.write(table, rows)


def _typed(value: Any, kind: str) -> Any:
    return bool(value) if kind == "BOOLEAN" and value is not None else value
