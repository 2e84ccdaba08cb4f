"""How many whole lives of a request this machine carries in a second, and what one costs.

Workload W3: delete, account assertion given, three instant systems, notices to memory; everything else as in
production on one machine. Progress goes to standard error, one JSON line to standard output. docs/bench.md says
what each figure means.

    python bench/lifecycle.py --requests 1000 --runs 5 --rate 20 --via kafka
"""

import argparse
import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from bench import costs, machine, page, peer
from bench import floor as hand_written
from bench.pace import pause, until
from bench.workload import Prepared, Way, people
from bench.world import World, world
from deploy.migrate import with_database
from shared.events.topics import SERVICES

NOT_TOLD = {"home", "page", "dbos"}
SERVERS = ("postgres", "kafka", "light")
ONE_PROCESS = (*SERVICES, "kafka", "bench")


@dataclass(frozen=True, slots=True)
class Burst:
    """One throughput run; `others_cores` is what programs that are not ours kept busy meanwhile."""

    lifecycles_per_second: float
    cpu_seconds_per_request: dict[str, float]
    records: float
    commits: float
    rows: float
    others_cores: float
    load_before: float

    @property
    def seconds(self) -> float:
        """Processor seconds per request, of all processes."""
        return sum(self.cpu_seconds_per_request.values())


@dataclass(frozen=True, slots=True)
class Steady:
    """One run at a steady rate: from the moment at which a request is due to go out to its RequestClosed."""

    p50_ms: float
    p99_ms: float
    cpu_seconds_per_request: float
    others_cores: float
    load_before: float


@dataclass(slots=True)
class Bench:
    """The runs over one world."""

    world: World
    given: argparse.Namespace
    idle_commits: float = 0.0
    idle_cores: dict[str, float] = field(default_factory=dict)
    number: int = 0

    async def warm_up(self, way: Way) -> None:
        """Let every code path, cache and connection be used; then see what polling alone commits."""
        prepared = self._prepared(self.given.warmup, way)
        await way.submit_all(prepared)
        await self._closed(prepared)
        await self._rest()
        before, meter = await costs.commits(self.world.admin), costs.Meter(self.world.pids)
        await pause(costs.STATISTICS_LAG_SECONDS)
        after, used = await costs.commits(self.world.admin), meter.used()
        self.idle_commits = (after - before) / costs.STATISTICS_LAG_SECONDS
        self.idle_cores = {name: spent / costs.STATISTICS_LAG_SECONDS for name, spent in used.items()}

    async def burst(self, way: Way) -> Burst:
        """All at once: from the first submission to the last RequestClosed."""
        prepared, load = self._prepared(self.given.requests, way), os.getloadavg()[0]
        records, commits = await self._records(), await costs.commits(self.world.admin)
        rows = await self._rows()
        meter = costs.Meter(self.world.pids)
        started = asyncio.get_running_loop().time()
        await way.submit_all(prepared)
        await self._closed(prepared)
        others = meter.others()
        await self._settled()
        used, number = meter.used(), len(prepared)
        await pause(costs.STATISTICS_LAG_SECONDS)
        committed = await costs.commits(self.world.admin) - commits
        return Burst(
            lifecycles_per_second=round(number / (self._last_of(prepared) - started), 1),
            cpu_seconds_per_request={name: round(spent / number, 5) for name, spent in used.items()},
            records=round((await self._records() - records) / number, 2),
            commits=round((committed - self.idle_commits * costs.STATISTICS_LAG_SECONDS) / number, 2),
            rows=round((await self._rows() - rows) / number, 1),
            others_cores=others,
            load_before=load,
        )

    async def floor(self, floor: hand_written.Floor, way: Way) -> hand_written.FloorBurst:
        """The same number of requests, moved by hand, while our own services are at rest."""
        servers = {name: self.world.pids[name] for name in self.world.pids if name in SERVERS}
        return await floor.burst(self._prepared(self.given.requests, way), servers, self.idle_cores)

    async def steady(self, way: Way) -> Steady:
        """One submission each 1/rate s, whatever becomes of the earlier ones."""
        prepared, load = self._prepared(self.given.steady, way), os.getloadavg()[0]
        meter, due = costs.Meter(self.world.pids), {}
        begin = asyncio.get_running_loop().time() + 0.1
        async with asyncio.TaskGroup() as group:
            for number, one in enumerate(prepared):
                due[one.request_id] = begin + number / self.given.rate
                await until(due[one.request_id])
                group.create_task(way.submit(one))
        await self._closed(prepared)
        others, spent = meter.others(), sum(meter.used().values()) / len(prepared)
        seen = self.world.closings.seen
        took = sorted(1000 * (seen[one].at - at) for one, at in due.items())
        await self._rest()
        return Steady(_rank(took, 0.50), _rank(took, 0.99), round(spent, 5), others, load)

    def _prepared(self, number: int, way: Way) -> list[Prepared]:
        self.number += 1
        label = f"run-{self.number}"
        return way.prepare(list(people(number, label, self.world.accounts)), label)

    async def _closed(self, prepared: list[Prepared]) -> None:
        ids = {one.request_id for one in prepared}
        await self.world.closings.all_of(ids, seconds=60 + len(prepared) / 2)

    def _last_of(self, prepared: list[Prepared]) -> float:
        return max(self.world.closings.seen[one.request_id].at for one in prepared)

    async def _settled(self) -> None:
        """Wait for what comes after the last closing: its certificate, and the front desk hearing of it."""
        while await costs.not_at_rest(self.world.admin):
            self.world.services.check()
            await pause(0.2)

    async def _rest(self) -> None:
        await self._settled()
        await pause(costs.STATISTICS_LAG_SECONDS)

    async def _rows(self) -> int:
        url = self.world.stack.database_url
        return await costs.rows(with_database(url, name) for name in hand_written.DATABASES)

    async def _records(self) -> int:
        return await costs.records(self.world.settings.kafka_bootstrap, self.world.settings.namespace)


@dataclass(slots=True)
class Measured:
    """What the runs gave, in turn."""

    bursts: list[Burst] = field(default_factory=list)
    steadies: list[Steady] = field(default_factory=list)
    peers: list[dict[str, float]] = field(default_factory=list)
    floors: list[hand_written.FloorBurst] = field(default_factory=list)


async def bench(given: argparse.Namespace) -> dict[str, object]:
    """Everything, from nothing to the figures."""
    async with AsyncExitStack() as rest:
        floor = hand_written.Floor() if given.floor else None
        running = await rest.enter_async_context(
            world(given.home.absolute(), given.broker, _say, before=floor.install if floor else None)
        )
        url, python = running.stack.database_url, given.dbos
        other = await peer.started(rest, python, url, given.peer_requests) if python else None
        runs, measured = Bench(running, given), Measured()
        await _run(runs, other, floor, measured)
        one = {name: pid for name, pid in running.pids.items() if name in ONE_PROCESS}
        return {
            **_summary(measured),
            "resident_mb": costs.resident_mb(running.pids),
            "peak_mb": costs.peak_mb(one),
            "runs": _by_run(measured.bursts, measured.steadies),
            "idle_commits_per_second": round(runs.idle_commits, 1),
            "given": {name: value for name, value in vars(given).items() if name not in NOT_TOLD},
            "machine": await machine.facts(running.stack.broker, running.admin),
        }


async def _run(
    runs: Bench, other: peer.Peer | None, floor: hand_written.Floor | None, measured: Measured
) -> None:
    """Bursts, steady runs, and those of the floor and the peer in turn; theirs come when ours are at rest."""
    ways: dict[str, Way] = {"kafka": runs.world.kafka, "http": runs.world.http}
    way = ways[runs.given.via]
    _say(f"warming up with {runs.given.warmup} requests over {way.name}")
    await runs.warm_up(way)
    for number in range(1, runs.given.runs + 1):
        measured.bursts.append(await runs.burst(way))
        _say(f"run {number}, burst: {json.dumps(asdict(measured.bursts[-1]))}")
        measured.steadies.append(await runs.steady(way))
        _say(f"run {number}, steady: {json.dumps(asdict(measured.steadies[-1]))}")
        if floor is not None:
            measured.floors.append(await runs.floor(floor, way))
            _say(f"run {number}, floor: {json.dumps(asdict(measured.floors[-1]))}")
        if other is not None:
            measured.peers.append(await other.burst())
            _say(f"run {number}, dbos: {json.dumps(measured.peers[-1])}")


def _summary(measured: Measured) -> dict[str, object]:
    bursts, steadies = measured.bursts, measured.steadies
    names = bursts[0].cpu_seconds_per_request
    rate = median(one.lifecycles_per_second for one in bursts)
    return {
        "bench": "lifecycle",
        "lifecycles_per_second": rate,
        "p50_ms": median(one.p50_ms for one in steadies),
        "p99_ms": median(one.p99_ms for one in steadies),
        "cpu_seconds_per_request": {
            name: median(one.cpu_seconds_per_request[name] for one in bursts) for name in names
        },
        "records": median(one.records for one in bursts),
        "commits": median(one.commits for one in bursts),
        "rows": median(one.rows for one in bursts),
        **(_beside_the_floor(measured) if measured.floors else {}),
        **(peer.compared(rate, measured.peers) if measured.peers else {}),
    }


def _beside_the_floor(measured: Measured) -> dict[str, object]:
    ours = [(one.seconds, one.records, one.rows) for one in measured.bursts]
    return hand_written.compared(ours, measured.floors)


def _by_run(bursts: list[Burst], steadies: list[Steady]) -> dict[str, list[float]]:
    """Every run's value in order, so that a reader sees whether the median means anything."""
    return {
        "lifecycles_per_second": [one.lifecycles_per_second for one in bursts],
        "cpu_seconds_per_request": [round(one.seconds, 4) for one in bursts],
        "commits": [one.commits for one in bursts],
        "p50_ms": [one.p50_ms for one in steadies],
        "p99_ms": [one.p99_ms for one in steadies],
        "cpu_seconds_per_request_in_steady": [one.cpu_seconds_per_request for one in steadies],
        "others_cores_in_bursts": [one.others_cores for one in bursts],
        "others_cores_in_steady": [one.others_cores for one in steadies],
        "load_before_bursts": [round(one.load_before, 2) for one in bursts],
        "load_before_steady": [round(one.load_before, 2) for one in steadies],
    }


def _rank(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure whole lifecycles on this machine.")
    parser.add_argument("--requests", type=int, default=1000, help="requests in each throughput run")
    parser.add_argument("--runs", type=int, default=5, help="throughput and steady runs, in turn")
    parser.add_argument("--rate", type=float, default=20.0, help="submissions per second in a steady run")
    parser.add_argument("--steady", type=int, default=400, help="requests in each steady run")
    parser.add_argument("--warmup", type=int, default=200, help="requests before anything is measured")
    parser.add_argument("--via", choices=("kafka", "http"), default="kafka", help="the way in")
    parser.add_argument("--broker", choices=("auto", "kafka", "light"), default="kafka", help="which broker")
    parser.add_argument("--floor", action="store_true", help="also move the same by hand, in turn")
    parser.add_argument("--dbos", type=Path, default=None, help="a Python that has dbos; measured in turn")
    parser.add_argument("--peer-requests", type=int, default=300, help="workflows in each of its bursts")
    parser.add_argument("--page", type=Path, default=None, help="where to write the page with the figures")
    parser.add_argument("--home", type=Path, default=Path(".habeas/bench"), help="where it lives; emptied")
    return parser.parse_args()


def main(given: argparse.Namespace) -> None:
    """Measure, print the line, write the page if one was asked for."""
    line = asyncio.run(bench(given))
    print(json.dumps(line))
    if given.page is not None:
        page.write(given.page, line)


if __name__ == "__main__":
    main(arguments())
