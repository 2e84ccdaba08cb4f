"""The peer in its own environment: started once beside ours, asked for a burst after each of ours."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

import asyncpg

from deploy.migrate import with_database

DATABASE = "peer_dbos"
CONCURRENCY = (8, 32, 128)
PROGRAM = Path(__file__).with_name("peer_dbos.py")


class Peer:
    """One process of `bench/peer_dbos.py`, on a database of its own on the same server."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def burst(self) -> dict[str, float]:
        """Workflows per second at each concurrency."""
        line = await self._say("go")
        rates: dict[str, float] = json.loads(line)["workflows_per_second"]
        return rates

    async def stop(self) -> None:
        """End it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()

    async def ready(self, url: str) -> None:
        """Give it its database; back when it is warm."""
        await self._say(url)

    async def _say(self, line: str) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101, PT018 - both piped
        self._process.stdin.write(f"{line}\n".encode())
        answer = (await self._process.stdout.readline()).decode()
        if not answer:
            raise RuntimeError("the peer ended; what it said is on standard error")
        return answer


async def started(rest: AsyncExitStack, python: Path, database_url: str, requests: int) -> Peer:
    """The peer, warm and waiting."""
    admin = await asyncpg.connect(database_url)
    try:
        await admin.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await admin.close()
    sweep = ",".join(map(str, CONCURRENCY))
    process = await asyncio.create_subprocess_exec(
        python, PROGRAM, "--requests", str(requests), "--concurrency", sweep,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    peer = Peer(process)
    rest.push_async_callback(peer.stop)
    await peer.ready(with_database(database_url, DATABASE))
    return peer


def compared(ours: float, bursts: Sequence[Mapping[str, float]]) -> dict[str, object]:
    """How many times ours is as fast as the peer where it is fastest."""
    at = {each: median(burst[each] for burst in bursts) for each in bursts[0]}
    return {
        "dbos_workflows_per_second": at,
        "dbos_ratio": round(ours / max(at.values()), 2),
        "dbos_bursts": [dict(burst) for burst in bursts],
    }
