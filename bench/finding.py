"""A person with very many rows in a database: what finding their keys and reading their rows takes."""

import argparse
import asyncio
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.fulfillment.connecting import adapter_of
from services.fulfillment.datamap.systems import load_system
from services.fulfillment.ports import Adapter, Frozen, Subject
from shared.clock import SystemClock

EMAIL = "ada@example.com"
NOW = datetime(2026, 2, 3, 19, tzinfo=UTC)
MAP = """
dataset:
  - fides_key: events
    collections:
      - name: people
        fields:
          - {name: id, fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
      - name: visits
        fields:
          - {name: id, fides_meta: {primary_key: true}}
          - name: person_id
            fides_meta: {references: [{dataset: events, field: people.id, direction: from}]}
          - {name: note, data_categories: [user.behavior.browsing_history]}
"""
SYSTEM = """
system: events
kind: sql
business: cascadia
url: {file: url}
dataset: map.yml
limits: {max_rows: 1000000}
"""


class Counting:
    """Takes rows and keeps none."""

    rows = 0

    async def take(self, dataset: str, rows: Any) -> None:
        del dataset
        self.rows += len(rows)


def fill(folder: Path, rows: int) -> None:
    """A database in which one person has so many rows, beside the files that describe it."""
    database = sqlite3.connect(folder / "events.sqlite")
    with database:
        database.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT)")
        database.execute("CREATE TABLE visits (id INTEGER PRIMARY KEY, person_id INTEGER, note TEXT)")
        database.execute("INSERT INTO people VALUES (1, ?)", (EMAIL,))
        visits = ((n, f"visit {n}, a line of words as apps keep them") for n in range(rows))
        database.executemany("INSERT INTO visits VALUES (?, 1, ?)", visits)
        database.execute("CREATE INDEX by_person ON visits (person_id)")
    database.close()
    (folder / "url").write_text(f"sqlite:///{folder}/events.sqlite")
    (folder / "map.yml").write_text(MAP)
    (folder / "events.yaml").write_text(SYSTEM)


async def look(folder: Path) -> dict[str, Any]:
    """Find, then read; the peak before anything was looked for is the program itself."""
    adapter: Adapter = adapter_of(load_system(folder / "events.yaml", home=folder), SystemClock())
    before, began = _peak_mb(), time.monotonic()
    found = await adapter.find(Subject({"email": EMAIL}), cut_off=NOW)
    if not isinstance(found, Frozen):
        raise TypeError(found)
    between, taking = time.monotonic(), Counting()
    await adapter.export(found, cut_off=NOW, taking=taking)
    await adapter.close()
    return {
        "rows": taking.rows,
        "before_mb": before,
        "peak_mb": _peak_mb(),
        "find_seconds": round(between - began, 1),
        "read_seconds": round(time.monotonic() - between, 1),
    }


def _peak_mb() -> int:
    [line] = [each for each in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in each]
    return round(int(line.split()[1]) / 1024)


def measured(rows: int) -> dict[str, Any]:
    """The same in a process of its own, on a database that another one filled."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), rows)
        child = [sys.executable, "-m", "bench.finding", "--within", folder]
        done = subprocess.run(child, check=True, capture_output=True, text=True)  # noqa: S603 - this very program
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Fill a database and have another process look, or be that process."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=999_999)
    options.add_argument("--within", type=Path)
    chosen = options.parse_args()
    found = measured(chosen.rows) if chosen.within is None else asyncio.run(look(chosen.within))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
