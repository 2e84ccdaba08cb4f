"""What a run costs: processor time and memory by process from /proc, records and commits from the servers."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events.topics import SERVICES, TOPICS

TICKS = os.sysconf("SC_CLK_TCK")
# A backend reports its statistics at most once a second while busy, and ten seconds after it fell idle.
STATISTICS_LAG_SECONDS = 11.0
_KB_IN_MB = 1024.0

_COMMITS = "SELECT sum(xact_commit)::bigint FROM pg_stat_database WHERE datname LIKE 'habeas%'"
_ROWS = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_user_tables"
_OPEN = " + ".join(
    f"(SELECT count(*) FROM {service}.outbox WHERE published_at IS NULL)"  # noqa: S608 - our own names
    f" + (SELECT count(*) FROM {service}.tasks WHERE state IN ('queued', 'ambiguous') AND handler <> 'recheck')"
    f" + (SELECT count(*) FROM {service}.tasks WHERE state IN ('claimed', 'calling'))"
    f" + (SELECT count(*) FROM {service}.tasks WHERE state = 'needs_person')"
    f" + (SELECT count(*) FROM {service}.parked)"
    for service in SERVICES
)
_NOT_AT_REST = f"SELECT {_OPEN} + (SELECT count(*) FROM intake.cases WHERE closed_at IS NULL)"  # noqa: S608 - our own names


def processor_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Processor time so far of each process; a server's own children are part of it."""
    return {name: sum(_used(one) for one in _family(name, pid)) for name, pid in pids.items()}


def machine_seconds() -> float:
    """Processor time that the whole machine has used so far, ours included."""
    fields = [int(one) for one in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    user, nice, system, _idle, _waiting, hard, soft, stolen = fields
    return (user + nice + system + hard + soft + stolen) / TICKS


def resident_mb(pids: Mapping[str, int]) -> dict[str, float]:
    """Resident memory of each process; pages that a server's processes share are counted once."""
    return {name: round(_resident(_family(name, pid)), 1) for name, pid in pids.items()}


def peak_mb(pids: Mapping[str, int]) -> dict[str, float]:
    """The most that each single process has had resident since it started."""
    return {name: round(_status(pid, "VmHWM") / _KB_IN_MB, 1) for name, pid in pids.items()}


async def records(bootstrap: str, namespace: str) -> int:
    """All records on all topics of the installation, by their end offsets."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        every = [
            TopicPartition(namespace + topic.name, part)
            for topic in TOPICS
            for part in range(topic.partitions)
        ]
        return sum((await consumer.end_offsets(every)).values())
    finally:
        await consumer.stop()


async def commits(admin: asyncpg.Connection) -> int:
    """Transactions committed in the services' databases and the vault, as far as backends have reported them."""
    return int(await admin.fetchval(_COMMITS))


async def rows(urls: Iterable[str]) -> int:
    """Rows inserted, changed and deleted in these databases, as far as backends have reported them."""
    return sum([await _rows(url) for url in urls])


async def _rows(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(_ROWS))
    finally:
        await connection.close()


async def not_at_rest(admin: asyncpg.Connection) -> int:
    """Rows that still wait for something: to be published, done, unparked, or closed at the front desk."""
    return int(await admin.fetchval(_NOT_AT_REST))


def _family(name: str, pid: int) -> list[int]:
    """PostgreSQL is many processes; everything else is one (the bench's own children are the services)."""
    if name != "postgres":
        return [pid]
    return [pid, *(child for child in _processes() if _stat(child)[1:2] == [str(pid)])]


def _processes() -> list[int]:
    return [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()]


def _used(pid: int) -> float:
    fields = _stat(pid)
    return sum(int(one) for one in fields[11:15]) / TICKS if fields else 0.0


def _stat(pid: int) -> list[str]:
    """The fields after the name: state, parent, ..., from the twelfth on the time of its own and of ended children."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _resident(pids: list[int]) -> float:
    if len(pids) == 1:
        return _status(pids[0], "VmRSS") / _KB_IN_MB
    return sum(_proportional(pid) for pid in pids) / _KB_IN_MB


def _proportional(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return float(next(line.split()[1] for line in lines if line.startswith("Pss:")))


def _status(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name}:")))


class Meter:
    """Processor time since it was made: of our processes, and of whoever else was at work."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = pids
        self._before = processor_seconds(pids)
        self._machine = machine_seconds()
        self._started = asyncio.get_running_loop().time()

    def used(self) -> dict[str, float]:
        """Seconds by process."""
        now = processor_seconds(self._pids)
        return {name: now[name] - self._before[name] for name in now}

    def others(self) -> float:
        """Cores that other programs kept busy meanwhile: what has to be known to judge a figure."""
        elapsed = asyncio.get_running_loop().time() - self._started
        everybody = machine_seconds() - self._machine
        return round(max(0.0, everybody - sum(self.used().values())) / elapsed, 2)
