"""What a request costs when several instances of each service share the work.

One, two and four of each on the same machine, in turn, each with a world of its own, from nothing. Every request must
end as a complete deletion, closed and fulfilled once. One JSON line; docs/bench.md says what it means.

    python bench/scale.py --instances 1 2 4 --requests 1000 --runs 5
"""

import argparse
from collections.abc import Iterator, Sequence
from statistics import median

import asyncpg

from bench import machine
from bench.asking import measure, say
from bench.lifecycle import Bench, Burst
from bench.world import world

# What was said more than once about a request, or has still to be put in order.
_TWICE = """
SELECT (SELECT count(*) FROM (SELECT 1 FROM fulfillment.outbox WHERE topic = 'dsar.fulfilled'
    GROUP BY request_id HAVING count(*) > 1) t)
  + (SELECT count(*) FROM (SELECT 1 FROM deadline.outbox WHERE topic = 'dsar.closed'
    GROUP BY request_id HAVING count(*) > 1) t)
  + (SELECT count(*) FROM intake.parked) + (SELECT count(*) FROM deadline.parked)"""


async def bench(given: argparse.Namespace) -> dict[str, object]:
    """Rounds of the numbers of instances in turn: a machine that grows slower does so for all of them."""
    rounds = [
        {number: await _measured(number, given) for number in given.instances} for _ in range(given.runs)
    ]
    bursts = {number: [one[number][0] for one in rounds] for number in given.instances}
    first = bursts[given.instances[0]]
    return {
        "bench": "scale",
        "requests": given.requests,
        "cpu_seconds_per_request": {
            number: round(median(one.seconds for one in each), 5) for number, each in bursts.items()
        },
        "ratio": {number: round(median(_ratios(each, first)), 3) for number, each in bursts.items()},
        "lifecycles_per_second": {
            number: median(one.lifecycles_per_second for one in each) for number, each in bursts.items()
        },
        "runs": {
            name: values for number, each in bursts.items() for name, values in _by_run(number, each, first)
        },
        "others_cores": {number: [one.others_cores for one in each] for number, each in bursts.items()},
        "machine": rounds[-1][given.instances[0]][1],
    }


def _ratios(bursts: Sequence[Burst], first: Sequence[Burst]) -> list[float]:
    """What each cost in its own round, as times of what it cost with the first number of instances."""
    return [round(one.seconds / least.seconds, 3) for one, least in zip(bursts, first, strict=True)]


def _by_run(
    number: int, bursts: Sequence[Burst], first: Sequence[Burst]
) -> Iterator[tuple[str, list[float]]]:
    yield f"cpu_seconds_per_request_with_{number}", [round(one.seconds, 5) for one in bursts]
    yield f"lifecycles_per_second_with_{number}", [one.lifecycles_per_second for one in bursts]
    yield f"ratio_with_{number}", _ratios(bursts, first)


async def _measured(number: int, given: argparse.Namespace) -> tuple[Burst, dict[str, object]]:
    # As much for each instance: the first requests of a process cost more, and several have more of them.
    warmed = argparse.Namespace(**{**vars(given), "warmup": number * given.warmup})
    async with world(given.home.absolute(), "kafka", say, instances=number) as running:
        runs = Bench(running, warmed)
        await runs.warm_up(running.kafka)
        found = await runs.burst(running.kafka)
        say(f"{number} of each: {found.seconds:.5f} processor seconds a request")
        await _once_each(running.admin)
        return found, await machine.facts(running.stack.broker, running.admin)


async def _once_each(admin: asyncpg.Connection) -> None:
    if twice := int(await admin.fetchval(_TWICE)):
        raise RuntimeError(f"{twice} requests were told of twice, or wait out of order")


def arguments() -> argparse.ArgumentParser:
    """What the command line may ask for."""
    parser = argparse.ArgumentParser(description="Measure what a request costs with several instances.")
    parser.add_argument("--instances", type=int, nargs="+", default=[1, 2, 4], help="of each service")
    parser.add_argument("--requests", type=int, default=1000, help="requests in each run")
    parser.add_argument("--runs", type=int, default=5, help="rounds of all of them")
    parser.add_argument("--warmup", type=int, default=400, help="requests of each instance before")
    return parser


if __name__ == "__main__":
    measure("Several instances of each service", bench, arguments())
