"""The relay: owns shards by lease, reads heads of line, sends, marks under its epoch.

No attempt limit: Kafka being away is never a reason to drop. A record that can never be sent blocks its own topic
and request only. Every marking statement carries the shard's epoch, so a relay that froze marks nothing.
"""

from collections.abc import Callable, Sequence

import structlog

from shared.outbox.ports import Head, Outbox, Scan
from shared.outbox.producer import Producer, ProducerLost, Sending

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
        self, outbox: Outbox, producer: Producer, *, owner: str, monotonic: Callable[[], float]
    ) -> None:
        self._outbox = outbox
        self._producer = producer
        self._owner = owner
        self._monotonic = monotonic
        self._epochs: dict[int, int] = {}
        self._leased_at = -RENEW_SECONDS
        self._position = 0
        self._scanned_at = 0.0
        self._moved = False
        self._waiting: set[tuple[str, str]] = set()
        self.published = 0

    @property
    def shards(self) -> list[int]:
        """What it held when it last asked."""
        return list(self._epochs)

    @property
    def waiting(self) -> list[str]:
        """What had to wait in the last turn, and why: `dsar.verified:UnknownTopic`."""
        return [f"{topic}:{reason}" for topic, reason in sorted(self._waiting)]

    async def turn(self) -> bool:
        """Publish one batch; whether to go on at once. A lost producer ends the turn: the rows are still there."""
        await self._lease()
        scan = await self._scan()
        rows = scan.heads
        if not rows:
            return False
        try:
            verdicts = await self._producer.send([_sending(row) for row in rows])
        except ProducerLost:
            self._position = 0
            return False
        judged = list(zip(rows, verdicts, strict=True))
        all_ours = await self._mark([row for row, verdict in judged if verdict.kind == "sent"])
        for row, verdict in judged:
            if verdict.kind == "never":
                await self._block(row, verdict.reason)
        self._tell({(row.topic, verdict.reason) for row, verdict in judged if verdict.kind == "later"})
        moved = any(verdict.kind != "later" for verdict in verdicts)
        self._moved = self._moved or moved
        # What was committed meanwhile has woken us: only what is known to wait is worth another look at once. A batch
        # that must wait itself, for its topic is missing, is passed by: others may stand past it.
        more = scan.full or (moved and (scan.behind or not all_ours))
        self._position = rows[-1].id if more else 0
        return more

    async def release(self) -> None:
        """Give the shards back at once, so that another relay need not wait for the lease."""
        self._epochs = {}
        await self._outbox.leave(self._owner)

    async def _lease(self) -> None:
        now = self._monotonic()
        if now - self._leased_at < RENEW_SECONDS:
            return
        epochs = await self._outbox.lease(self._owner, seconds=LEASE_SECONDS)
        excess = [shard for shard in self._epochs if shard not in epochs]
        if excess:
            await self._outbox.give_back(self._owner, excess)
        self._epochs, self._leased_at = epochs, now

    async def _scan(self) -> Scan:
        now = self._monotonic()
        if now - self._scanned_at >= RESCAN_SECONDS:
            self._position, self._scanned_at = 0, now
        scan = await self._outbox.heads(self._position, list(self._epochs), BATCH)
        if not scan.heads and self._position:
            self._position = 0
            if not self._moved:
                return scan
            self._moved = False
            scan = await self._outbox.heads(0, list(self._epochs), BATCH)
        return scan

    async def _mark(self, rows: Sequence[Head]) -> bool:
        """Whether all of them were still ours to mark."""
        marked = await self._outbox.mark(rows, self._owner, self._epochs)
        self.published += marked
        if marked < len(rows):
            log.warning("relay.stale_epoch", rows=len(rows) - marked)
            self._leased_at = -RENEW_SECONDS
        return marked == len(rows)

    def _tell(self, waiting: set[tuple[str, str]]) -> None:
        """Say once what has to wait, and why; the age of the oldest record says for how long."""
        for topic, reason in sorted(waiting - self._waiting):
            log.warning("relay.waiting", topic=topic, reason=reason)
        self._waiting = waiting

    async def _block(self, row: Head, reason: str) -> None:
        log.error("relay.blocked", topic=row.topic, request_id=row.key, reason=reason)
        await self._outbox.block(row, reason, self._owner, self._epochs[row.shard])


def _sending(row: Head) -> Sending:
    return Sending(row.topic, row.key, row.headers, row.value)
