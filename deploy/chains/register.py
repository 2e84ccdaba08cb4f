"""The database's own list of the anchors that were made: the newest ones cannot be removed from their places unseen.

It lies in a schema that no service may touch. Who owns both the database and every place of anchors can still remove
both; a bucket's lock, or a second place, is for that.
"""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

_MADE = """
CREATE SCHEMA IF NOT EXISTS evidence;
CREATE TABLE IF NOT EXISTS evidence.anchors (
  number integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, at timestamptz NOT NULL
);
"""
_ADD = (
    "INSERT INTO evidence.anchors (number, name, sha256, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
)
_ALL = "SELECT number, name, sha256, at FROM evidence.anchors ORDER BY number"
_THERE = "SELECT to_regclass('evidence.anchors') IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Registered:
    """An anchor that was made."""

    number: int
    name: str
    sha256: str
    at: datetime


async def register(connection: asyncpg.Connection, anchor: Registered) -> None:
    """Remember an anchor that lies in its places; a crash before this leaves one more than the list has."""
    await connection.execute(_MADE)
    await connection.execute(_ADD, anchor.number, anchor.name, anchor.sha256, anchor.at)


async def registered(connection: asyncpg.Connection) -> list[Registered]:
    """All that were ever made, in order."""
    if not await connection.fetchval(_THERE):
        return []
    return [Registered(**dict(row)) for row in await connection.fetch(_ALL)]
