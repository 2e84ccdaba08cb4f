"""What anchors and events say of every chain, on disk while it is compared: there may be millions of them."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final
from uuid import UUID

from shared.audit import AuditHead

_TABLES: Final = """
CREATE TABLE anchored (service TEXT, request_id TEXT, anchor TEXT, seq INTEGER, hash TEXT);
CREATE TABLE stated (service TEXT, request_id TEXT, hash TEXT);
"""
_INDEXES: Final = """
CREATE INDEX IF NOT EXISTS anchored_by ON anchored (service, request_id, anchor);
CREATE INDEX IF NOT EXISTS stated_by ON stated (service, request_id);
"""
_SAID: Final = """
SELECT request_id, anchor, seq, hash FROM anchored WHERE service = :service
UNION ALL SELECT request_id, NULL, NULL, hash FROM stated WHERE service = :service
ORDER BY request_id, anchor
"""
_LATEST: Final = """
SELECT seq, hash FROM anchored WHERE service = ? AND request_id = ? ORDER BY anchor DESC LIMIT 1
"""

Head = tuple[str, UUID, AuditHead]


@dataclass(slots=True)
class Said:
    """What is known of one chain from outside the database: its heads in anchors, oldest first, and in events."""

    request_id: UUID
    anchored: list[tuple[str, AuditHead]] = field(default_factory=list)
    stated: set[str] = field(default_factory=set)


class Scratch:
    """A database that SQLite keeps in a file of its own until it is closed."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("")
        self._file.executescript(_TABLES)

    def add_anchor(self, name: str, heads: Iterable[Head]) -> None:
        """Take an anchor's heads in."""
        rows = ((service, str(one), name, head.seq, head.hash) for service, one, head in heads)
        self._file.executemany("INSERT INTO anchored VALUES (?, ?, ?, ?, ?)", rows)

    def add_stated(self, service: str, request_id: UUID, head: str) -> None:
        """Take in what an event says."""
        self._file.execute("INSERT INTO stated VALUES (?, ?, ?)", (service, str(request_id), head))

    def index(self) -> None:
        """Everything was taken in; from now on it is looked up."""
        self._file.executescript(_INDEXES)

    def latest(self, service: str, request_id: UUID) -> AuditHead | None:
        """What the newest anchor that names a chain says of it."""
        row = self._file.execute(_LATEST, (service, str(request_id))).fetchone()
        return AuditHead(*row) if row else None

    def of(self, service: str) -> Iterator[Said]:
        """By request: ids as text sort as the database sorts them."""
        rows = self._file.execute(_SAID, {"service": service})
        for request_id, some in groupby(rows, key=lambda row: row[0]):
            said = Said(UUID(request_id))
            for _, anchor, seq, digest in some:
                if anchor is None:
                    said.stated.add(digest)
                else:
                    said.anchored.append((anchor, AuditHead(seq, digest)))
            yield said

    def close(self) -> None:
        self._file.close()
