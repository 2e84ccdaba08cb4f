"""The floor beside the bench: the same records and rows, moved by as many processes without any thought.

Its topics and databases are its own, made from ours while these are empty; its processes live for one burst. A burst
whose records or rows are not those that ours wrote is no comparison, and fails.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from statistics import median
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaProducer

from bench import costs
from bench.pace import pause
from bench.workload import Prepared
from deploy.local.stack import StackInfo
from deploy.migrate import with_database
from deploy.topics import apply
from shared.events.topics import SERVICES
from shared.settings import Settings

NAMESPACE = "floor."
DATABASES = {"habeas": "floor", "habeas_vault": "floor_vault"}
AGREE_WITHIN = 0.05


class NoComparison(Exception):
    """The floor did not move what ours moved; the text says what differs."""


@dataclass(frozen=True, slots=True)
class FloorBurst:
    """What the same number of requests costs when nothing is thought about, by process; per request."""

    cpu_seconds_per_request: dict[str, float]
    records: float
    rows: float


class Floor:
    """The floor's topics and databases on the servers of a world, and its bursts."""

    _settings: Settings
    _url: str
    _moved: int = 0
    _running: dict[str, asyncio.subprocess.Process]

    async def install(self, settings: Settings, running: StackInfo) -> None:
        """Make its topics, and its databases as copies of ours; nobody may be connected to ours."""
        self._settings = settings.model_copy(update={"namespace": NAMESPACE})
        self._url = running.database_url
        await apply(self._settings)
        admin = await asyncpg.connect(self._url)
        try:
            for ours, copy in DATABASES.items():
                await admin.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{ours}"')
        finally:
            await admin.close()

    async def burst(
        self, prepared: Sequence[Prepared], servers: Mapping[str, int], idle: Mapping[str, float]
    ) -> FloorBurst:
        """Move what these submissions lead to; `idle` is what our own services' polling costs the servers."""
        async with self._processes() as pids, self._producer() as producer:
            await self._move(producer, prepared[: len(prepared) // 10])
            records, rows = await self._records(), await self._rows()
            before, started = costs.processor_seconds({**pids, **servers}), _now()
            await self._move(producer, prepared)
            after, took = costs.processor_seconds({**pids, **servers}), _now() - started
            used = {name: after[name] - before[name] - took * idle.get(name, 0.0) for name in after}
            records = await self._records() - records
        number = len(prepared)
        written = await self._rows() - rows
        by_process = {name: round(spent / number, 5) for name, spent in used.items()}
        return FloorBurst(by_process, round(records / number, 2), round(written / number, 1))

    async def _move(self, producer: AIOKafkaProducer, prepared: Sequence[Prepared]) -> None:
        """Send these, and wait until everything that they lead to is written and marked."""
        database = await asyncpg.connect(with_database(self._url, DATABASES["habeas"]))
        try:
            self._moved += len(prepared)
            for one in prepared:
                headers = [*one.headers, ("ce_id", str(uuid4()).encode())]
                await producer.send(
                    f"{NAMESPACE}dsar.submissions", one.value, key=one.key.encode(), headers=headers
                )
            await producer.flush()
            async with asyncio.timeout(60 + len(prepared)):
                while await database.fetchval(_OPEN, self._moved):
                    self._check()
                    await pause(0.2)
        finally:
            await database.close()

    @asynccontextmanager
    async def _processes(self) -> AsyncIterator[dict[str, int]]:
        """The four, each reading; they end with their standard input."""
        self._running = {name: await self._started(name) for name in SERVICES}
        try:
            for one in self._running.values():
                if one.stdout is not None:
                    await one.stdout.readline()
            self._check()
            yield {name: one.pid for name, one in self._running.items()}
        finally:
            for one in self._running.values():
                if one.stdin is not None:
                    one.stdin.close()
            await asyncio.gather(*(one.wait() for one in self._running.values()))

    def _check(self) -> None:
        if ended := [name for name, one in self._running.items() if one.returncode is not None]:
            raise NoComparison(f"the floor's {', '.join(ended)} ended; what it said is on standard error")

    async def _started(self, service: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        started = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.floor_service", service, stdin=pipe, stdout=pipe
        )
        if started.stdin is not None:
            started.stdin.write(json.dumps(self._told()).encode() + b"\n")
        return started

    def _told(self) -> dict[str, str]:
        database, vault = (with_database(self._url, name) for name in DATABASES.values())
        bootstrap = self._settings.kafka_bootstrap
        return {"bootstrap": bootstrap, "namespace": NAMESPACE, "database": database, "vault": vault}

    def _producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(bootstrap_servers=self._settings.kafka_bootstrap, acks="all", linger_ms=2)

    async def _records(self) -> int:
        return await costs.records(self._settings.kafka_bootstrap, NAMESPACE)

    async def _rows(self) -> int:
        """Rows that were written, once the backends have said so."""
        await pause(costs.STATISTICS_LAG_SECONDS)
        return await costs.rows(with_database(self._url, name) for name in DATABASES.values())


def compared(ours: Sequence[tuple[float, float, float]], floors: Sequence[FloorBurst]) -> dict[str, object]:
    """How many times the floor's processor time ours needs; `ours` are its seconds, records and rows by burst.

    Raises:
        NoComparison: records or rows differ by more than a twentieth.
    """
    for (_, records, rows), floor in zip(ours, floors, strict=True):
        for what, mine, other in (("records", records, floor.records), ("rows", rows, floor.rows)):
            if abs(other / mine - 1) > AGREE_WITHIN:
                raise NoComparison(f"{what} per request: ours {mine}, the floor's {other}")
    seconds = [sum(one.cpu_seconds_per_request.values()) for one in floors]
    ratios = [mine / floor for (mine, *_), floor in zip(ours, seconds, strict=True)]
    return {
        "floor_cpu_ratio": round(median(ratios), 2),
        "floor_cpu_seconds_per_request": {
            name: median(one.cpu_seconds_per_request[name] for one in floors)
            for name in floors[0].cpu_seconds_per_request
        },
        "floor_bursts": [asdict(one) for one in floors],
    }


def _now() -> float:
    return asyncio.get_running_loop().time()


# What is not certified, not done, or not published yet.
_OPEN = " + ".join(
    (
        "SELECT $1 - (SELECT count(*) FROM deadline.certificates)",
        *(f"(SELECT count(*) FROM {name}.outbox WHERE published_at IS NULL)" for name in SERVICES),  # noqa: S608 - our own names
        *(f"(SELECT count(*) FROM {name}.tasks WHERE state <> 'done')" for name in SERVICES),  # noqa: S608 - our own names
        "(SELECT count(*) FROM fulfillment.open_subject)",
    )
)
