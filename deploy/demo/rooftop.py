"""The second rooftop: another business of the same group, which knows the same people by the same addresses.

Nobody asks it for anything. Its system is connected to the same services, and must not be touched.
"""

import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from deploy.demo.cascadia.people import Person
from shared.private_files import write_private

NAME = "Harbor Motors"
SYSTEM = "harbor-crm"
_DESCRIBED = Path(__file__).parent / "second_rooftop"
_TABLE = """
CREATE TABLE customers (
  id INTEGER PRIMARY KEY, email TEXT NOT NULL, phone TEXT, full_name TEXT NOT NULL,
  unsubscribed INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL)"""


class Rooftop:
    """Its one database, and what it held before anybody asked for anything."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "harbor"
        self._systems = home / "systems"
        self._file = self._folder / "customers.sqlite"
        self._before: dict[int, tuple[object, ...]] = {}

    def furnish(self, people: Iterable[Person]) -> None:
        """Make it, with everybody who is known next door, and describe it beside the other systems."""
        self._folder.mkdir(mode=0o700, parents=True)
        with closing(sqlite3.connect(self._file)) as database:
            database.execute(_TABLE)
            rows = ((p.number, p.email, p.phone, p.name, 0, p.since.isoformat()) for p in people)
            database.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?)", rows)
            database.commit()
        self._file.chmod(0o600)
        write_private(self._folder / f"{SYSTEM}.url", f"sqlite:///{self._file.absolute()}".encode())
        shutil.copytree(_DESCRIBED, self._systems, dirs_exist_ok=True)
        self._before = self._now()

    def findings(self) -> Iterator[str]:
        """What is not as it was."""
        now = self._now()
        touched = [number for number, row in self._before.items() if now.get(number) != row]
        if touched or len(now) != len(self._before):
            yield f"{len(touched)} rows of {NAME}, a business that nobody asked, were changed"

    def sentence(self) -> str:
        """What the proof says of it."""
        return f"{len(self._before)} people are known to {NAME}, too: not a row of it was touched"

    def _now(self) -> dict[int, tuple[object, ...]]:
        with closing(sqlite3.connect(self._file)) as database:
            return {int(row[0]): tuple(row) for row in database.execute("SELECT * FROM customers")}
