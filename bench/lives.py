"""A list of people becomes as many requests, and each lives its whole life: how long that takes in all.

An upstream system sends the list over Kafka, one encrypted submission for each person, and goes on while no more than
`--ahead` of them are open: an account assertion is good for minutes, not for the time of a long list. Everything else
is as in `bench/lifecycle.py`: four services, three instant systems, notices to memory. Progress goes to standard
error after each tenth, one JSON line to standard output.

    python bench/lives.py --people 100000 --page docs/proof/lives.md
"""

import argparse
import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from uuid import UUID

from bench import costs, machine
from bench.asking import measure, say
from bench.pace import pause
from bench.workload import Prepared, people
from bench.world import World, world

AT_ONCE = 500
LOOK_SECONDS = 0.1
STUCK_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Tenth:
    """A tenth of the list: when it was closed, how fast it went, and what each process holds then."""

    closed: int
    seconds: float
    lives_per_second: float
    resident_mb: dict[str, float]


@dataclass(slots=True)
class Course:
    """How far the list is."""

    world: World
    total: int
    began: float
    tenths: list[Tenth] = field(default_factory=list)
    _at: tuple[int, float] = (0, 0.0)
    _moved: tuple[int, float] = (0, 0.0)

    def look(self, before: int) -> int:
        """How many are closed; each tenth is told of."""
        closed, now = len(self.world.closings.seen) - before, asyncio.get_running_loop().time() - self.began
        self._not_stuck(closed, now)
        if closed >= self.total * (len(self.tenths) + 1) // 10:
            had, then = self._at
            self._at = closed, now
            rate = round((closed - had) / (now - then), 1)
            self.tenths.append(Tenth(closed, round(now, 1), rate, costs.resident_mb(self.world.pids)))
            say(json.dumps(asdict(self.tenths[-1])))
        return closed

    def _not_stuck(self, closed: int, now: float) -> None:
        if closed > self._moved[0]:
            self._moved = closed, now
        elif now - self._moved[1] > STUCK_SECONDS:
            raise TimeoutError(f"no request was closed for {STUCK_SECONDS:.0f} s; {closed} are")


async def live(running: World, total: int, ahead: int, label: str) -> tuple[list[Tenth], list[UUID], float]:
    """Send all, never too many ahead, and wait until the last is closed."""
    before, loop = len(running.closings.seen), asyncio.get_running_loop()
    course, ids = Course(running, total, loop.time()), list[UUID]()
    while (closed := course.look(before)) < total:
        number = min(AT_ONCE, total - len(ids))
        if number and len(ids) + number - closed <= ahead:
            some = _prepared(running, number, f"{label}-{len(ids)}")
            await running.kafka.submit_all(some)
            ids += [one.request_id for one in some]
        else:
            running.services.check()
            await pause(LOOK_SECONDS)
    return course.tenths, ids, loop.time() - course.began


def _prepared(running: World, number: int, label: str) -> Sequence[Prepared]:
    return running.kafka.prepare(list(people(number, label, running.accounts)), label)


async def bench(given: argparse.Namespace) -> dict[str, object]:
    """Everything, from nothing to the figures."""
    async with world(given.home.absolute(), "kafka", say) as running:
        say(f"warming up with {given.warmup} requests")
        await live(running, given.warmup, given.ahead, "warmup")
        load, meter = os.getloadavg()[0], costs.Meter(running.pids)
        tenths, ids, seconds = await live(running, given.people, given.ahead, "list")
        await running.closings.all_of(ids, seconds=60)
        others = meter.others()
        while await costs.not_at_rest(running.admin):
            running.services.check()
            await pause(LOOK_SECONDS)
        used = meter.used()
        return {
            "bench": "lives",
            "people": given.people,
            "seconds": round(seconds, 1),
            "lives_per_second": round(given.people / seconds, 1),
            "lives_per_second_by_tenth": [one.lives_per_second for one in tenths],
            "cpu_seconds_per_request": round(sum(used.values()) / given.people, 5),
            "resident_mb_after_the_first_tenth": tenths[0].resident_mb,
            "resident_mb_after_the_last": tenths[-1].resident_mb,
            "open_at_most": given.ahead,
            "others_cores": others,
            "load_before": round(load, 2),
            "machine": await machine.facts(running.stack.broker, running.admin),
        }


def arguments() -> argparse.ArgumentParser:
    """What the command line may ask for."""
    parser = argparse.ArgumentParser(description="Measure how long a list of people takes, from end to end.")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--ahead", type=int, default=5_000, help="how many may be open at a time")
    parser.add_argument("--warmup", type=int, default=200, help="requests before anything is measured")
    return parser


if __name__ == "__main__":
    measure("A list of people, each a whole life", bench, arguments())
