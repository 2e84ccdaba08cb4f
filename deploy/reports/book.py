"""The read model: a line for each request in a file of SQLite's, and how far each partition was read.

Facts merge in any order and however often they come. Lines and places change in one transaction, so a reading that
was interrupted goes on where it stopped. The file holds nothing that the topics do not hold: it can go at any time.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

from deploy.reports.records import RequestRecord, tells
from shared.events.message import Body

Places = Mapping[tuple[str, int], int]
Said = tuple[UUID, datetime, Body]
# Another number here makes every book anew: what the columns mean has changed.
VERSION: Final = 1
_OF_REQUEST: Final = ("request_id", "last_event_at")
_TOLD: Final = tuple(name for name in RequestRecord.model_fields if name not in _OF_REQUEST)
_TABLES: Final = f"""
CREATE TABLE IF NOT EXISTS told (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS places (
  topic TEXT, partition INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
  request_id TEXT PRIMARY KEY, last_event_at TEXT NOT NULL, {", ".join(_TOLD)}
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_day ON requests (received_on, request_id);
"""
_MERGED: Final = ", ".join(f"{name} = coalesce(excluded.{name}, requests.{name})" for name in _TOLD)
_TELL: Final = f"""
INSERT INTO requests ({", ".join((*_OF_REQUEST, *_TOLD))})
VALUES ({", ".join(f":{name}" for name in (*_OF_REQUEST, *_TOLD))})
ON CONFLICT (request_id) DO UPDATE
SET last_event_at = max(excluded.last_event_at, requests.last_event_at), {_MERGED}
"""  # noqa: S608 - our own column names
_PLACE: Final = "INSERT OR REPLACE INTO places (topic, partition, next) VALUES (?, ?, ?)"
# A request whose receipt was not heard has no line yet.
_LINES: Final = """
SELECT * FROM requests
WHERE received_on IS NOT NULL
  AND received_on BETWEEN coalesce(:first, '0') AND coalesce(:last, '9')
  AND business = coalesce(:business, business) AND regime = coalesce(:regime, regime)
ORDER BY received_on, request_id
"""
WAIT_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which requests: received between two days (both included), of a business, under a regime."""

    first: date | None = None
    last: date | None = None
    business: str | None = None
    regime: str | None = None


class Book:
    """One file; `origin` names the cluster and installation that it was read from."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._file = connection
        self._file.row_factory = sqlite3.Row

    @classmethod
    def open(cls, path: Path, origin: str) -> Self:
        """The book of this origin; one of another, or of another version, is begun anew."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        book = cls(sqlite3.connect(path, timeout=WAIT_SECONDS))
        if not book._is_of(origin):
            book.close()
            path.unlink()
            path.touch(mode=0o600)
            book = cls(sqlite3.connect(path, timeout=WAIT_SECONDS))
        book._begin(origin)
        return book

    @property
    def places(self) -> Places:
        """Where each partition is to be read on."""
        rows = self._file.execute("SELECT topic, partition, next FROM places")
        return {(row["topic"], row["partition"]): row["next"] for row in rows}

    def write(self, said: Iterable[Said], places: Places) -> None:
        """Take facts in, and remember how far was read, together."""
        with self._file:
            self._file.executemany(_TELL, (_row(*one) for one in said))
            self._file.executemany(_PLACE, [(*place, offset) for place, offset in places.items()])

    def lines(self, chosen: Chosen | None = None) -> Iterator[RequestRecord]:
        """The lines by day of receipt, one after the other: however many there are, few are in memory."""
        with closing(self._file.cursor()) as cursor:
            for row in cursor.execute(_LINES, _values(chosen or Chosen())):
                told = {name: value for name, value in dict(row).items() if value is not None}
                yield RequestRecord.model_validate(told)

    def differs_from(self, other: "Book") -> Iterator[UUID]:
        """The requests of which the two say something else, or which only one knows, in order."""
        return (UUID(one) for one in _unequal(self.digests(), other.digests()))

    def count(self) -> int:
        found: int = self._file.execute(
            "SELECT count(*) FROM requests WHERE received_on IS NOT NULL"
        ).fetchone()[0]
        return found

    def close(self) -> None:
        self._file.close()

    def digests(self) -> Iterator[tuple[str, bytes]]:
        """Each request with a digest of all that is said of it, in order."""
        for row in self._file.execute("SELECT * FROM requests ORDER BY request_id"):
            values = tuple(row[name] for name in (*_OF_REQUEST, *_TOLD))
            yield row["request_id"], hashlib.sha256(repr(values).encode()).digest()

    def _is_of(self, origin: str) -> bool:
        try:
            told = dict(self._file.execute("SELECT name, value FROM told").fetchall())
        except sqlite3.OperationalError:
            return True  # a new file
        except sqlite3.DatabaseError:
            return False
        return told == {"origin": origin, "version": str(VERSION)}

    def _begin(self, origin: str) -> None:
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.executescript(_TABLES)
        with self._file:
            self._file.executemany(
                "INSERT OR REPLACE INTO told (name, value) VALUES (?, ?)",
                [("origin", origin), ("version", str(VERSION))],
            )


def _row(request_id: UUID, at: datetime, body: Body) -> dict[str, Any]:
    # All times in one zone and one width, so that the latest is also the greatest text.
    stated = at.astimezone(UTC).isoformat(timespec="microseconds")
    return {**dict.fromkeys(_TOLD), **tells(body), "request_id": str(request_id), "last_event_at": stated}


def _values(chosen: Chosen) -> dict[str, str | None]:
    return {
        "first": chosen.first.isoformat() if chosen.first else None,
        "last": chosen.last.isoformat() if chosen.last else None,
        "business": chosen.business,
        "regime": chosen.regime,
    }


def _unequal(ours: Iterator[tuple[str, bytes]], theirs: Iterator[tuple[str, bytes]]) -> Iterator[str]:
    """Two sorted lists, walked side by side."""
    one, other = next(ours, None), next(theirs, None)
    while one is not None or other is not None:
        if one == other:
            one, other = next(ours, None), next(theirs, None)
        elif other is None or (one is not None and one[0] <= other[0]):
            assert one is not None  # noqa: S101 - narrows
            yield one[0]
            if other is not None and other[0] == one[0]:
                other = next(theirs, None)
            one = next(ours, None)
        else:
            yield other[0]
            other = next(theirs, None)
