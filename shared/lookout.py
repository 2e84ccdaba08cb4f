"""Looks for everybody: one statement says which loops have work, instead of each of them asking in vain (ADR 0092).

What this process commits wakes its loops by itself. What the lookout finds is the rest: times that came, leases that
ran out, and what other processes left.
"""

from collections.abc import Callable, Mapping, Sequence

import asyncpg

from shared.background import Wakeup
from shared.clock import Clock

LOOK_SECONDS = 0.5

# One answer for each loop, each by the index of what it waits for. Whether a lease ran out is the database's to say.
LOOK = """
SELECT
  EXISTS (SELECT 1 FROM cases WHERE wake_at <= $1 AND NOT blocked) AS timers,
  EXISTS (SELECT 1 FROM tasks WHERE state IN ('queued', 'ambiguous') AND run_at <= $1 AND handler = ANY($2::text[]))
    OR EXISTS (SELECT 1 FROM tasks WHERE state IN ('claimed', 'calling') AND lease_until < now()) AS tasks,
  EXISTS (SELECT 1 FROM outbox
    WHERE published_at IS NULL AND blocked_at IS NULL AND shard = ANY($3::smallint[])) AS relay,
  EXISTS (SELECT 1 FROM parked) AS parked"""


class Lookout:
    """Wakes the loops of one process that have work."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        clock: Clock,
        *,
        handlers: Sequence[str],
        shards: Callable[[], Sequence[int]],
        wakeups: Mapping[str, Wakeup],
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._handlers = list(handlers)
        self._shards = shards
        self._wakeups = wakeups

    async def turn(self) -> bool:
        """Ask once. There is never a reason to ask again at once: whoever was woken goes on by itself."""
        found = await self._pool.fetchrow(LOOK, self._clock.now(), self._handlers, list(self._shards()))
        for name, wakeup in self._wakeups.items():
            if found[name]:
                wakeup.set()
        return False
