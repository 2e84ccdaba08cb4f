"""The shop kept in files, a file for each table: what the objects adapter reaches in the suite for every one.

A database beside the files does what the suite says in SQL: it is filled from the files before a statement, and writes
them anew after it. What the files hold is read by libraries of others, never by the adapter.
"""

import csv
import io
import json
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from services.fulfillment.adapters.objects import open_adapter
from services.fulfillment.datamap.systems import Limits, Secret, System
from services.fulfillment.ports import Adapter, Key
from shared.private_files import write_private
from tests.support.object_store import ObjectStore
from tests.support.shop import EMAIL, TABLES, Shop

_PARQUET = {"INTEGER": pa.int64(), "BOOLEAN": pa.bool_(), "NUMERIC(9, 2)": pa.float64()}

Rows = list[dict[str, Any]]


class Place(Protocol):
    """Where the files lie."""

    address: str
    absent: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str]

    def write(self, name: str, content: bytes) -> None: ...

    def read(self, name: str) -> bytes: ...

    def forbid(self, name: str) -> None:
        """Let nobody change this file any more."""
        ...


class InFolder:
    """A folder of this machine."""

    settings: Mapping[str, str] = {}
    secrets: Mapping[str, str] = {}

    def __init__(self, home: Path) -> None:
        self.folder = home / "files"
        self.folder.mkdir()
        self.address, self.absent = str(self.folder), str(home / "absent")

    def write(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def forbid(self, name: str) -> None:
        """A second name of the same file, which quotes the person."""
        os.link(self.folder / name, self.folder.parent / f"{EMAIL}.kept")


class InBucket:
    """A bucket with versions, in which objects can be locked."""

    def __init__(self, store: ObjectStore) -> None:
        self._store, self._bucket = store, store.new_bucket(locks=True)
        self.address, self.absent = f"s3://{self._bucket}/shop", "s3://no-such-bucket/shop"
        self.settings: Mapping[str, str] = {"endpoint": store.endpoint, "region": "us-east-1"}
        self.secrets: Mapping[str, str] = {"access_key": "made-up", "secret_key": "made-up"}

    def write(self, name: str, content: bytes) -> None:
        self._store.client.put_object(Bucket=self._bucket, Key=f"shop/{name}", Body=content)

    def read(self, name: str) -> bytes:
        return self._store.client.get_object(Bucket=self._bucket, Key=f"shop/{name}")["Body"].read()

    def forbid(self, name: str) -> None:
        hold = {"Status": "ON"}
        self._store.client.put_object_legal_hold(Bucket=self._bucket, Key=f"shop/{name}", LegalHold=hold)  # type: ignore[arg-type]


class FileShop(Shop):
    """The same shop and the same person, in files."""

    def __init__(self, home: Path, place: Place, suffix: str) -> None:
        self._database = home / "shop.sqlite"
        sqlite3.connect(self._database).close()
        super().__init__(f"sqlite+aiosqlite:///{self._database}", place.address, home)
        self.place = place
        self._suffix = suffix
        self._filled = False

    @property
    def absent_address(self) -> str:
        return self.place.absent

    def expected(self, tables: Mapping[str, set[Key]]) -> dict[str, set[Key]]:
        """A CSV file knows texts alone."""
        if self._suffix != "csv":
            return dict(tables)
        return {name: {tuple(map(str, key)) for key in keys} for name, keys in tables.items()}

    async def open(self) -> "FileShop":
        await super().open()
        self._filled = True
        self._write_files()
        return self

    def system(self, url: str | None = None, limits: Limits | None = None) -> System:
        plain = super().system(url, limits)
        secrets = {}
        for name, value in self.place.secrets.items():
            write_private(self.home / name, value.encode())
            secrets[name] = Secret(file=self.home / name)
        return System(
            **{**dict(plain), "kind": "objects", "settings": self.place.settings, "secrets": secrets}
        )

    def adapter(self, system: System | None = None) -> Adapter:
        adapter = open_adapter(system or self.system())
        self._adapters.append(adapter)
        return adapter

    async def run(self, statement: str, **values: Any) -> None:
        if self._filled:
            self._read_files()
        await super().run(statement, **values)
        if self._filled:
            self._write_files()

    async def content(self) -> Mapping[str, list[tuple[Any, ...]]]:
        return {name: await self.rows(name) for name in TABLES}

    async def rows(self, table: str) -> list[tuple[Any, ...]]:
        found = read(self.place.read(f"{table}.{self._suffix}"), self._suffix)
        return sorted(tuple(str(value) for value in row.values()) for row in found)

    async def fail_on_delete(self, table: str) -> None:
        self.place.forbid(f"{table}.{self._suffix}")

    def _read_files(self) -> None:
        with closing(sqlite3.connect(self._database)) as database:
            for table in TABLES:
                rows = read(self.place.read(f"{table}.{self._suffix}"), self._suffix)
                database.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
                if rows:
                    slots = ", ".join(f":{name}" for name in rows[0])
                    insert = f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({slots})"  # noqa: S608 - our own names
                    database.executemany(insert, rows)
            database.commit()

    def _write_files(self) -> None:
        with closing(sqlite3.connect(self._database)) as database:
            database.row_factory = sqlite3.Row
            for table in TABLES:
                kinds = {row["name"]: row["type"] for row in database.execute(f"PRAGMA table_info({table})")}
                rows = [dict(row) for row in database.execute(f"SELECT * FROM {table}")]  # noqa: S608 - our own names
                self._write(f"{table}.{self._suffix}", written(rows, kinds, self._suffix))

    def _write(self, name: str, content: bytes) -> None:
        try:
            before = read(self.place.read(name), self._suffix)
        except Exception:  # noqa: BLE001 - each library says in its own way that there is none yet
            before = None
        if before != read(content, self._suffix):
            self.place.write(name, content)


def read(content: bytes, suffix: str) -> Rows:
    """A file's rows, as other libraries read them."""
    match suffix:
        case "csv":
            rows = csv.DictReader(io.StringIO(content.decode(), newline=""))
            return [{name: value or None for name, value in row.items()} for row in rows]
        case "jsonl":
            return [json.loads(line) for line in content.splitlines()]
    found: Rows = pq.read_table(io.BytesIO(content)).to_pylist()
    return found


def written(rows: Rows, kinds: Mapping[str, str], suffix: str) -> bytes:
    """A file of these rows."""
    if suffix == "csv":
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, list(kinds))
        table.writeheader()
        table.writerows(rows)
        return text.getvalue().encode()
    typed = [{name: _typed(value, kinds[name]) for name, value in row.items()} for row in rows]
    if suffix == "jsonl":
        return b"".join(json.dumps(row).encode() + b"\n" for row in typed)
    schema = pa.schema([(name, _PARQUET.get(kind, pa.string())) for name, kind in kinds.items()])
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(typed, schema), out, row_group_size=2)
    return out.getvalue()


def _typed(value: Any, kind: str) -> Any:
    if value is None:
        return None
    return bool(value) if kind == "BOOLEAN" else value
