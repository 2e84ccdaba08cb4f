"""The relay: owns shards by lease, reads heads of line, sends, marks under its epoch.

No attempt limit: Kafka being away is never a reason to drop. A record that can never be sent blocks its own topic
and request only. Every marking statement carries the shard's epoch, so a relay that froze marks nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
import structlog

from shared.outbox import statements as sql
from shared.outbox.producer import Producer, ProducerLost, Sending
from shared.outbox.shards import SHARDS

log = structlog.get_logger("outbox")
# Longer than a turn with a broker that does not answer (start, send, close), or a slow relay would never mark what
# it sent; and what a killed relay held waits for as long.
LEASE_SECONDS = 30
RENEW_SECONDS = 5.0
RESCAN_SECONDS = 1.0
BATCH = 500


class Relay:
    """Publishes one service's outbox; any number of them may run."""

    def __init__(
        self, pool: asyncpg.Pool, producer: Producer, *, owner: str, monotonic: Callable[[], float]
    ) -> None:
        self._pool = pool
        self._producer = producer
        self._owner = owner
        self._monotonic = monotonic
        self._epochs: dict[int, int] = {}
        self._leased_at = -RENEW_SECONDS
        self._position = 0
        self._scanned_at = 0.0
        self._waiting: set[tuple[str, str]] = set()
        self.published = 0

    async def turn(self) -> bool:
        """Publish one batch; whether to go on at once. A lost producer ends the turn: the rows are still there."""
        await self._lease()
        rows = await self._heads()
        if not rows:
            return False
        try:
            verdicts = await self._producer.send([_sending(row) for row in rows])
        except ProducerLost:
            self._position = 0
            return False
        judged = list(zip(rows, verdicts, strict=True))
        await self._mark([row for row, verdict in judged if verdict.kind == "sent"])
        for row, verdict in judged:
            if verdict.kind == "never":
                await self._block(row, verdict.reason)
        self._tell({(row["topic"], verdict.reason) for row, verdict in judged if verdict.kind == "later"})
        self._position = rows[-1]["id"]
        return len(rows) == BATCH or any(verdict.kind != "later" for verdict in verdicts)

    async def release(self) -> None:
        """Give the shards back at once, so that another relay need not wait for the lease."""
        self._epochs = {}
        await self._pool.execute(sql.RELEASE, self._owner)
        await self._pool.execute(sql.GONE, self._owner)

    async def _lease(self) -> None:
        now = self._monotonic()
        if now - self._leased_at < RENEW_SECONDS:
            return
        await self._pool.execute(sql.PRESENT, self._owner)
        others = await self._pool.fetchval(sql.OTHERS, self._owner)
        share = -(-SHARDS // (others + 1))
        held = await self._pool.fetch(sql.ACQUIRE, self._owner, LEASE_SECONDS, share)
        epochs = {row["shard"]: row["epoch"] for row in held}
        excess = [shard for shard in self._epochs if shard not in epochs]
        if excess:
            await self._pool.execute(sql.RELEASE_SOME, self._owner, excess)
        self._epochs, self._leased_at = epochs, now

    async def _heads(self) -> Sequence[Any]:
        now = self._monotonic()
        if now - self._scanned_at >= RESCAN_SECONDS:
            self._position, self._scanned_at = 0, now
        rows = await self._pool.fetch(sql.HEADS, self._position, list(self._epochs), BATCH)
        if not rows and self._position:
            self._position = 0
            rows = await self._pool.fetch(sql.HEADS, 0, list(self._epochs), BATCH)
        return rows  # type: ignore[no-any-return]

    async def _mark(self, rows: Sequence[Any]) -> None:
        epochs = [self._epochs.get(shard) for shard in range(SHARDS)]
        marked = 0
        # By month, so that the statement touches that partition alone; there is hardly ever more than one.
        for month in {row["opened_month"] for row in rows}:
            ids = [row["id"] for row in rows if row["opened_month"] == month]
            status = await self._pool.execute(sql.MARK, month, ids, self._owner, epochs)
            marked += int(status.split()[-1])
        self.published += marked
        if marked < len(rows):
            log.warning("relay.stale_epoch", rows=len(rows) - marked)
            self._leased_at = -RENEW_SECONDS

    def _tell(self, waiting: set[tuple[str, str]]) -> None:
        """Say once what has to wait, and why; the age of the oldest record says for how long."""
        for topic, reason in sorted(waiting - self._waiting):
            log.warning("relay.waiting", topic=topic, reason=reason)
        self._waiting = waiting

    async def _block(self, row: Any, reason: str) -> None:
        log.error("relay.blocked", topic=row["topic"], request_id=row["key"], reason=reason)
        await self._pool.execute(
            sql.BLOCK, row["id"], row["opened_month"], reason, self._epochs[row["shard"]], self._owner
        )


def _sending(row: Any) -> Sending:
    return Sending(row["topic"], row["key"], row["headers"], row["value"])
