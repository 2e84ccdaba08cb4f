"""What Rewind Sessions holds and wrote down, in one file: visits, orders, and what came of its callbacks."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE sessions (email TEXT NOT NULL, page TEXT NOT NULL, clicks INTEGER NOT NULL);
CREATE INDEX sessions_of ON sessions (email);
CREATE TABLE orders (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, email TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'pending',
  seen INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE refused (reason TEXT NOT NULL);
CREATE TABLE called (order_id TEXT NOT NULL, status INTEGER NOT NULL);
"""
_VISITS = (("/vehicles/used", 7), ("/finance/apply", 3))
_NEXT = {"pending": "in_progress", "in_progress": "completed"}


class Books:
    """The processor's file; every call opens it, for its pages and its callbacks run in two threads."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def open(self, emails: Iterable[str]) -> None:
        """Make it anew, with two visits of each of these."""
        with closing(sqlite3.connect(self._file)) as database, database:
            database.executescript(_TABLES)
            rows = [(email, page, clicks) for email in emails for page, clicks in _VISITS]
            database.executemany("INSERT INTO sessions VALUES (?, ?, ?)", rows)
        self._file.chmod(0o600)

    def take(self, order: str, kind: str, email: str) -> bool:
        """Write an order down; False where it is there already."""
        line = "INSERT OR IGNORE INTO orders (id, kind, email) VALUES (?, ?, ?)"
        return self._run(line, order, kind, email) == 1

    def look(self, order: str) -> tuple[str, str, str] | None:
        """An order with its kind and state, and that its end was looked at."""
        self._run("UPDATE orders SET seen = state = 'completed' WHERE id = ?", order)
        found = self._all("SELECT id, kind, state FROM orders WHERE id = ?", order)
        return found[0] if found else None

    def advance(self) -> list[tuple[str, str, str]]:
        """Everything moves on by one state; the orders that did, as they are now."""
        moved = self._all(
            "SELECT id, kind, state, email FROM orders WHERE state IN ('pending', 'in_progress')"
        )
        for order, kind, state, email in moved:
            if (kind, _NEXT[state]) == ("erasure", "completed"):
                self._run("DELETE FROM sessions WHERE email = ?", email)
            self._run("UPDATE orders SET state = ? WHERE id = ?", _NEXT[state], order)
        return [(order, kind, _NEXT[state]) for order, kind, state, _ in moved]

    def unread(self) -> list[tuple[str, str, str]]:
        """What is done, and nobody has looked."""
        return self._all("SELECT id, kind, state FROM orders WHERE state = 'completed' AND NOT seen")

    def copy(self, order: str) -> list[dict[str, Any]]:
        """The visits of whoever an order for a copy is about."""
        line = (
            "SELECT sessions.email, page, clicks FROM sessions"
            " JOIN orders ON orders.email = sessions.email AND kind = 'access' WHERE id = ? ORDER BY page"
        )
        return [dict(zip(("email", "page", "clicks"), row, strict=True)) for row in self._all(line, order)]

    def refuse(self, reason: str) -> None:
        """Write down that a call was refused."""
        self._run("INSERT INTO refused VALUES (?)", reason)

    def called(self, order: str, status: int) -> None:
        """Write down how a callback was answered."""
        self._run("INSERT INTO called VALUES (?, ?)", order, status)

    def heard(self) -> list[tuple[str, str]]:
        """The kind and the person of every order."""
        return self._all("SELECT kind, email FROM orders")

    def people(self) -> set[str]:
        """Of whom visits are held."""
        return {str(row[0]) for row in self._all("SELECT DISTINCT email FROM sessions")}

    def refused(self) -> list[str]:
        """Why calls were refused, in their order."""
        return [str(row[0]) for row in self._all("SELECT reason FROM refused ORDER BY rowid")]

    def answers(self) -> list[int]:
        """How its callbacks were answered, in their order."""
        return [int(row[0]) for row in self._all("SELECT status FROM called ORDER BY rowid")]

    def _all(self, query: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(self._file, timeout=10)) as database:
            return database.execute(query, values).fetchall()

    def _run(self, statement: str, *values: Any) -> int:
        with closing(sqlite3.connect(self._file, timeout=10)) as database, database:
            return database.execute(statement, values).rowcount
