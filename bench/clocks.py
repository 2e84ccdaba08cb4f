"""What a tick of the clocks costs, by how many requests are open: it must not grow with them.

Fills the deadline service's table with open requests, lets a thousand of them come due, and wakes these through the
production shell, domain and store; then the same with more open. One JSON line; docs/bench.md says what it means.

    python bench/clocks.py --open 10000 100000 1000000 --due 1000 --runs 5
"""

import argparse
import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from uuid import UUID

import asyncpg

from bench import costs, machine, page
from bench.world import servers
from deploy.local import stack
from deploy.migrate import with_database
from deploy.serving import build_host
from shared.events.intake import RequestReceived
from shared.hosting import Host
from shared.ids import new_id
from shared.machine.decision import Message
from shared.policy import Right, compute_clocks, load_regime

REGIME = "us-ca-ccpa"
FILL = """
INSERT INTO deadline.cases (request_id, business, body, applied, sent, audit_seq, audit_head, wake_at, opened_month)
SELECT gen_random_uuid(), business, body, applied, sent, audit_seq, audit_head,
  wake_at + random() * interval '30 days', opened_month
FROM deadline.cases, generate_series(1, $2) WHERE request_id = $1"""
COME_DUE = """
UPDATE deadline.cases SET wake_at = now() - interval '1 second'
WHERE request_id IN (SELECT request_id FROM deadline.cases WHERE request_id <> $1
  ORDER BY request_id OFFSET $2 LIMIT $3)"""


@dataclass(frozen=True, slots=True)
class Tick:
    """Waking everything that is due, once; and one look when nothing is."""

    seconds: float
    processor_seconds: float
    idle_ms: float


@dataclass(slots=True)
class Clocks:
    """The deadline service, built and not started, and an administrator's connection to its table."""

    host: Host
    admin: asyncpg.Connection
    postgres: dict[str, int]
    model: UUID

    async def fill(self, number: int) -> None:
        """Let there be so many open requests."""
        there = int(await self.admin.fetchval("SELECT count(*) FROM deadline.cases"))
        await self.admin.execute(FILL, self.model, number - there, timeout=1800)
        await self.admin.execute("VACUUM (ANALYZE) deadline.cases", timeout=1800)
        await self.admin.execute("CHECKPOINT", timeout=600)

    async def tick(self, due: int, run: int) -> Tick:
        """Let some come due, wake them, then look once more."""
        await self.admin.execute(COME_DUE, self.model, run * due, due, timeout=600)
        before, began, spent = self._processor(), time.perf_counter(), time.process_time()
        woken = await self._wake_all()
        seconds = time.perf_counter() - began
        processor = self._processor() - before + time.process_time() - spent
        if woken != due:
            raise RuntimeError(f"{woken} were woken, {due} were due")
        began = time.perf_counter()
        await self.host.shell.wake_due()
        return Tick(seconds, processor, 1000 * (time.perf_counter() - began))

    async def _wake_all(self) -> int:
        woken = 0
        while number := await self.host.shell.wake_due():
            woken += number
        return woken

    def _processor(self) -> float:
        return sum(costs.processor_seconds(self.postgres).values())


async def bench(given: argparse.Namespace) -> dict[str, object]:
    """Every number of open requests in turn, the smallest first."""
    async with AsyncExitStack() as rest:
        settings, running = await rest.enter_async_context(servers(given.home.absolute(), "kafka", _say))
        host = await build_host(settings, "deadline", rest)
        admin = await asyncpg.connect(with_database(running.database_url, "habeas"))
        rest.push_async_callback(admin.close)
        pids = {one.name: one.pid for one in stack.status(settings.home).components if one.pid}
        clocks = Clocks(host, admin, {"postgres": pids["postgres"]}, await _one_request(host))
        measured = {number: await _measured(clocks, number, given) for number in sorted(given.open)}
        first = measured[min(measured)]
        return {
            "bench": "clocks",
            "due": given.due,
            "open": {number: _told(ticks) for number, ticks in measured.items()},
            "ratio": {number: _ratio(ticks, first) for number, ticks in measured.items()},
            "resident_mb": costs.peak_mb({"bench": _own_pid()}),
            "machine": await machine.facts(running.broker, admin),
        }


async def _measured(clocks: Clocks, number: int, given: argparse.Namespace) -> list[Tick]:
    _say(f"filling the table with {number} open requests")
    await clocks.fill(number)
    await clocks.tick(given.due, given.runs)
    ticks = [await clocks.tick(given.due, run) for run in range(given.runs)]
    _say(json.dumps(_told(ticks)))
    return ticks


async def _one_request(host: Host) -> UUID:
    """A request as the service itself would know it after hearing of it; all others are its copies."""
    now, regime = host.resources.clock.now(), load_regime(REGIME)
    request_id = new_id()
    body = RequestReceived(
        business=host.resources.settings.business,
        regime=REGIME,
        policy_version=regime.version,
        right=Right.DELETE,
        requester="subject",
        channel="web",
        received_at=now,
        clocks=compute_clocks(regime, Right.DELETE, now),
        claims="sealed",
        audit_head="",
    )
    message = Message(
        id=new_id(),
        ce_type=body.declared.ce_type,
        source="habeas/intake",
        kind="event",
        request_id=request_id,
        body=body,
        at=now,
        topic=body.declared.topic.name,
        sequence=1,
        digest="0" * 64,
        business=host.resources.settings.business,
    )
    await host.shell.handle([message])
    return request_id


def _told(ticks: list[Tick]) -> dict[str, float]:
    return {
        "tick_ms": round(1000 * median(one.seconds for one in ticks), 1),
        "tick_ms_lowest": round(1000 * min(one.seconds for one in ticks), 1),
        "tick_ms_highest": round(1000 * max(one.seconds for one in ticks), 1),
        "processor_ms": round(1000 * median(one.processor_seconds for one in ticks), 1),
        "idle_look_ms": round(median(one.idle_ms for one in ticks), 2),
    }


def _ratio(ticks: list[Tick], first: list[Tick]) -> float:
    return round(median(one.seconds for one in ticks) / median(one.seconds for one in first), 2)


def _own_pid() -> int:
    import os

    return os.getpid()


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description="Measure a tick of the clocks by how many requests are open."
    )
    parser.add_argument("--open", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--due", type=int, default=1000, help="requests that come due at each tick")
    parser.add_argument("--runs", type=int, default=5, help="ticks at each number of open requests")
    parser.add_argument("--home", type=Path, default=Path(".habeas/bench"), help="where it lives; emptied")
    parser.add_argument("--page", type=Path, default=None, help="where to write the figures")
    return parser.parse_args()


if __name__ == "__main__":
    asked = arguments()
    page.keep(asked.page, "What a tick costs, by how many requests are open", asyncio.run(bench(asked)))
