"""The auditor's record: every row's owner and checksum, taken before anybody asked for anything."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import asyncpg

from deploy.demo.cascadia.lists import lists_of
from deploy.demo.cascadia.places import DATABASES, FILES, LISTS, Places
from deploy.demo.cascadia.rows import Rows

Where = tuple[str, str, str]
"""System, table and row id."""

_TABLE = "CREATE TABLE before (system TEXT, tab TEXT, id TEXT, owner INTEGER, checksum TEXT)"


@dataclass(frozen=True, slots=True)
class Known:
    """What a row was: whose (None: shared), and its content's digest."""

    owner: int | None
    checksum: str


async def write_before(places: Places, rows: Rows) -> None:
    """Read every row back and write the record."""
    content = await read_all(places, sorted(rows.tables))
    places.before.unlink(missing_ok=True)
    with closing(sqlite3.connect(places.before)) as record:
        record.execute(_TABLE)
        known = ((*where, rows.owner[where], checksum(row)) for where, row in content.items())
        record.executemany("INSERT INTO before VALUES (?, ?, ?, ?, ?)", known)
        record.commit()
    places.before.chmod(0o600)


def read_before(places: Places) -> dict[Where, Known]:
    with closing(sqlite3.connect(places.before)) as record:
        rows = record.execute("SELECT system, tab, id, owner, checksum FROM before")
        return {(system, table, row): Known(owner, digest) for system, table, row, owner, digest in rows}


async def read_all(places: Places, tables: Iterable[tuple[str, str]]) -> dict[Where, Mapping[str, Any]]:
    """Every row of these tables as it is now."""
    wanted = list(tables)
    content = {
        where: row
        for name in FILES
        for where, row in _in_file(places, name, [table for system, table in wanted if system == name])
    }
    if (LISTS, LISTS) in wanted:
        content |= {(LISTS, LISTS, str(row["id"])): row for row in lists_of(places).rows()}
    for system, database in DATABASES.items():
        connection = await asyncpg.connect(places.admin(database))
        try:
            for table in (table for owner, table in wanted if owner == system):
                rows = await connection.fetch(f"SELECT * FROM public.{table}")  # noqa: S608 - our own names
                content |= {(system, table, str(row["id"])): dict(row) for row in rows}
        finally:
            await connection.close()
    return content


def read_past(places: Places) -> dict[Where, Mapping[str, Any]]:
    """Every row of the lists' older versions; each stands for a row of the same id, now or before."""
    return {(LISTS, version, str(row["id"])): row for version, row in lists_of(places).past()}


def checksum(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(repr([(name, str(value)) for name, value in row.items()]).encode()).hexdigest()


def _in_file(places: Places, system: str, tables: Iterable[str]) -> Iterator[tuple[Where, Mapping[str, Any]]]:
    with closing(sqlite3.connect(places.file(system))) as database:
        database.row_factory = sqlite3.Row
        for table in tables:
            for row in database.execute(f"SELECT * FROM {table}"):  # noqa: S608 - our own names
                yield (system, table, str(row["id"])), dict(row)
