"""How long the services take to go on, and to be done, after all of them were killed in the middle of their work.

Many requests are submitted at once; when some are closed, every service is ended by SIGKILL and started again. What
is timed begins with the new start. Every request must end as a complete deletion. One JSON line; docs/bench.md says
what it means.

    python bench/recovery.py --requests 10000 --runs 5
"""

import argparse
import asyncio
import json
from dataclasses import asdict, dataclass
from statistics import median
from uuid import UUID

from bench import machine
from bench.asking import measure, say
from bench.pace import pause
from bench.workload import people
from bench.world import World, world
from shared.events.topics import SERVICES

LOOK_SECONDS = 0.05
HEARD_SECONDS = 2.0
CLOSED_BEFORE = 0.02
"""The share of requests that are closed when everything is killed: so that all stages are full."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """Seconds from the new start until all services said that they are ready, to the first closing, to the last."""

    in_flight: int
    ready: float
    first_progress: float
    drained: float


async def bench(given: argparse.Namespace) -> dict[str, object]:
    """As many recoveries as asked for, in one world."""
    async with world(given.home.absolute(), "kafka", say) as running:
        found = []
        for run in range(1, given.runs + 1):
            found.append(await _recovered(running, given.requests, f"recovery-{run}"))
            say(f"run {run}: {json.dumps(asdict(found[-1]))}")
        every = [asdict(one) for one in found]
        return {
            "bench": "recovery",
            "requests": given.requests,
            "in_flight": median(one.in_flight for one in found),
            "ready_s": round(median(one.ready for one in found), 2),
            "first_progress_s": round(median(one.first_progress for one in found), 2),
            "drained_s": round(median(one.drained for one in found), 1),
            "runs": {name: [run[name] for run in every] for name in every[0]},
            "machine": await machine.facts(running.stack.broker, running.admin),
        }


async def _recovered(running: World, number: int, label: str) -> Recovery:
    loop = asyncio.get_running_loop()
    prepared = running.kafka.prepare(list(people(number, label, running.accounts)), label)
    ids = {one.request_id for one in prepared}
    await running.kafka.submit_all(prepared)
    await _closed(running, ids, int(CLOSED_BEFORE * number))
    for name in SERVICES:
        running.services.kill(name)
    # What was published before the kill must have been seen, or it would count as progress after it.
    await pause(HEARD_SECONDS)
    before = _count(running, ids)
    began = loop.time()
    await asyncio.to_thread(running.services.start)
    ready = loop.time() - began
    await _closed(running, ids, before + 1)
    first = min(running.closings.seen[one].at for one in ids if _is_new(running, one, began))
    await running.closings.all_of(ids, seconds=120 + number / 4)
    last = max(running.closings.seen[one].at for one in ids)
    return Recovery(number - before, round(ready, 2), round(first - began, 2), round(last - began, 1))


async def _closed(running: World, ids: set[UUID], wanted: int) -> None:
    while _count(running, ids) < wanted:
        await pause(LOOK_SECONDS)


def _count(running: World, ids: set[UUID]) -> int:
    return len(ids & running.closings.seen.keys())


def _is_new(running: World, request_id: UUID, began: float) -> bool:
    return request_id in running.closings.seen and running.closings.seen[request_id].at > began


def arguments() -> argparse.ArgumentParser:
    """What the command line may ask for."""
    parser = argparse.ArgumentParser(description="Measure the recovery from a kill of all services.")
    parser.add_argument("--requests", type=int, default=10_000, help="requests in each run")
    parser.add_argument("--runs", type=int, default=5)
    return parser


if __name__ == "__main__":
    measure("After a kill of everything", bench, arguments())
