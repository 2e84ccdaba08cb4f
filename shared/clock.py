"""The only place that reads the wall clock.

`HABEAS_CLOCK=advance` adds an offset kept in a file, so that a demonstration can move four processes' time at once;
leases never use this clock, they run on the database's.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Tells what time it is for the business: dates, deadlines, retries."""

    def now(self) -> datetime:
        """The current instant, in UTC."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one reading


class AdvancingClock:
    """The machine's time plus an offset that `habeas clock advance` writes into a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: tuple[int, timedelta] = (0, timedelta())

    def now(self) -> datetime:
        return SystemClock().now() + self._offset()

    def advance(self, by: timedelta) -> datetime:
        """Move the time of everybody who shares the file; returns the new time."""
        seconds = (self._offset() + by).total_seconds()
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps({"offset_seconds": seconds}))
        part.replace(self._file)
        return self.now()

    def _offset(self) -> timedelta:
        try:
            changed = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            return timedelta()
        if changed != self._seen[0]:
            offset = float(json.loads(self._file.read_text())["offset_seconds"])
            self._seen = (changed, timedelta(seconds=offset))
        return self._seen[1]
