"""When what was away in the two years: each service, the mail server, and its systems, from the seed alone."""

import random
from bisect import bisect_right
from datetime import UTC, datetime, timedelta

from shared.events.topics import SERVICES

BEGIN = datetime(2026, 7, 1, 7, tzinfo=UTC)
END = datetime(2028, 6, 30, 7, tzinfo=UTC)
SYSTEMS = ("ads", "archive", "crm")
OUTAGES = 12
"""Of each part in the two years: most last hours, some a weekend, one of the services' three days."""


class Trouble:
    """Every part's outages as pairs of instants, in order."""

    def __init__(self, seed: str) -> None:
        self.outages: dict[str, tuple[tuple[datetime, datetime], ...]] = {}
        for part in (*SERVICES, "mail", *SYSTEMS):
            chance = random.Random(f"{seed} {part}")  # noqa: S311 - a simulation
            self.outages[part] = tuple(_drawn(chance))
        self._begins = {part: [first for first, _ in spans] for part, spans in self.outages.items()}

    def up_from(self, part: str, at: datetime) -> datetime:
        """The first instant, not before `at`, at which a part is there."""
        number = bisect_right(self._begins[part], at) - 1
        if number < 0:
            return at
        return max(at, self.outages[part][number][1])

    def was_up_throughout(self, part: str, first: datetime, last: datetime) -> bool:
        return all(end <= first or begin >= last for begin, end in self.outages[part])


def _drawn(chance: random.Random) -> list[tuple[datetime, datetime]]:
    hours = [chance.uniform(0.2, 8) for _ in range(OUTAGES - 3)] + [40, 60, 72]
    chance.shuffle(hours)
    # One in each share of the time, so that no two of a part meet.
    share = (END - BEGIN) / OUTAGES
    found = []
    for number, length in enumerate(hours):
        latest = share - timedelta(hours=length + 1)
        begin = BEGIN + number * share + chance.random() * latest
        found.append((begin, begin + timedelta(hours=length)))
    return found
