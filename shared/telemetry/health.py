"""True liveness and readiness: FastStream's own ping asks the admin client alone, which says nothing of consumers.

Live means that no loop has died and the event loop turns; a platform restarts what is not live. Ready means that the
database answers, partitions are assigned (or known to be few), and the outbox is not stuck.
"""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.database import TRANSIENT
from shared.outbox import statements as outbox
from shared.telemetry import metrics

if TYPE_CHECKING:
    from shared.hosting import Host

STUCK_OUTBOX_SECONDS = 60.0
UNREAD_SECONDS = 60.0
STALE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Report:
    """What is wrong, in words; empty when all is well."""

    wrong: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.wrong


class Health:
    """Looks at one host, and keeps its gauges."""

    def __init__(self, host: "Host") -> None:
        self._host = host
        self._measured_at = time.monotonic()
        self._outbox_age = 0.0
        self._unread: list[str] = []
        self._published = 0

    async def measure(self) -> None:
        """Read the gauges from the database and the consumer."""
        pool, meters = self._host.resources.pool, self._host.meters
        self._unread = self._host.subscription.unread(UNREAD_SECONDS)
        self._outbox_age = float(await pool.fetchval(outbox.OLDEST))
        meters.set(metrics.OUTBOX_AGE, self._outbox_age)
        meters.set(metrics.OUTBOX_BLOCKED, float(await pool.fetchval(outbox.BLOCKED)))
        meters.set(metrics.SHARDS_FREE, float(await pool.fetchval(outbox.FREE_SHARDS)))
        meters.set(metrics.CASES_BLOCKED, float(await self._host.store.blocked_cases()))
        meters.set(metrics.DEAD_LETTERS, float(await self._host.store.open_letters()))
        meters.set(metrics.GAP_AGE, await self._host.store.oldest_gap_seconds())
        for state, number in (await self._host.tasks.open_by_state()).items():
            meters.set(metrics.TASKS_OPEN, number, state=state)
        for loop in self._host.loops.values():
            meters.set(metrics.LOOP_FAILURES, loop.failures, loop=loop.name)
        meters.count(metrics.PUBLISHED, self._host.relay.published - self._published)
        self._published = self._host.relay.published
        meters.set(metrics.CONSUMER_LAG, float(self._host.subscription.lag()))
        self._measured_at = time.monotonic()

    def live(self) -> Report:
        """Whether the process deserves to go on."""
        dead = [f"the {loop.name} loop has ended" for loop in self._host.loops.values() if not loop.alive]
        if self._host.subscription.ended:
            dead.append("the subscriber has ended")
        return Report(tuple(dead))

    async def ready(self) -> Report:
        """Whether the service does its work now."""
        wrong = list(self.live().wrong)
        if not self._host.subscription.assigned:
            wrong.append("no partition is assigned")
        if time.monotonic() - self._measured_at > STALE_SECONDS:
            wrong.append("the gauges are stale")
        if self._outbox_age > STUCK_OUTBOX_SECONDS:
            wrong.append(" ".join(["the outbox does not drain", *self._host.relay.waiting]))
        if self._unread:
            wrong.append(f"cannot read {' '.join(self._unread)}")
        try:
            await self._host.resources.pool.fetchval("SELECT 1", timeout=5)
        except TRANSIENT:
            wrong.append("the database does not answer")
        return Report(tuple(wrong))

    def routes(self) -> APIRouter:
        """`/live`, `/ready` and `/metrics`."""
        router = APIRouter(include_in_schema=False)

        @router.get("/live")
        async def live(response: Response) -> dict[str, object]:
            return _answer(self.live(), response)

        @router.get("/ready")
        async def ready(response: Response) -> dict[str, object]:
            return _answer(await self.ready(), response)

        @router.get("/metrics")
        async def prometheus() -> Response:
            return Response(generate_latest(self._host.meters.registry), media_type=CONTENT_TYPE_LATEST)

        return router


def _answer(report: Report, response: Response) -> dict[str, object]:
    response.status_code = 200 if report.ok else 503
    return {"ok": report.ok, "wrong": list(report.wrong)}
