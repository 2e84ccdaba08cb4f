"""What asking for suppressed people costs: 10,000 hashes in one question, with a million suppressed.

Fills the fulfillment service's table, serves its real page over HTTP on this machine, and asks it again and again;
half of the hashes asked about are suppressed, and no two questions are alike. Question and answer are made and read
in the same process, which the time includes. One JSON line.

    python bench/suppression.py --suppressed 1000000 --hashes 10000 --questions 300
"""

import argparse
import asyncio
import random
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from statistics import median

import asyncpg
import httpx2
import uvicorn
from fastapi import FastAPI

from bench import machine, page
from bench.world import servers
from deploy.migrate import with_database
from deploy.serving import leave_alone_what_stays, new_loop
from services.fulfillment.api import suppression_routes
from services.fulfillment.suppression import SuppressionRegister
from shared.hosting import open_resources

FILL = """
INSERT INTO fulfillment.suppressed (hash, rights, business, grounds, since, version)
SELECT '\\x0001'::bytea || sha256(n::text::bytea), 'delete', 'cascadia',
  jsonb_build_object('delete/' || gen_random_uuid(), now()), now(), n
FROM generate_series(1, $1) AS n"""


def hash_of(number: int) -> str:
    """The hash that the table holds for this number, if it is small enough."""
    return f"1:{sha256(str(number).encode()).hexdigest()}"


async def bench(given: argparse.Namespace) -> dict[str, object]:
    """Fill, then ask."""
    async with AsyncExitStack() as rest:
        settings, running = await rest.enter_async_context(servers(given.home.absolute(), "kafka", _say))
        resources = await open_resources(settings, "fulfillment", rest)
        admin = await asyncpg.connect(with_database(running.database_url, "habeas"))
        rest.push_async_callback(admin.close)
        _say(f"suppressing {given.suppressed}")
        await admin.execute(FILL, given.suppressed, timeout=1800)
        await admin.execute("VACUUM (ANALYZE) fulfillment.suppressed", timeout=1800)
        application = FastAPI()
        application.include_router(suppression_routes(SuppressionRegister(resources.pool)))
        client = await rest.enter_async_context(_served(application))
        leave_alone_what_stays()
        taken = sorted(await _asked(client, given))
        return {
            "bench": "suppression",
            "suppressed": given.suppressed,
            "hashes_in_a_question": given.hashes,
            "questions": given.questions,
            "p50_ms": round(1000 * median(taken), 1),
            "p99_ms": round(1000 * taken[int(0.99 * len(taken))], 1),
            "slowest_ms": round(1000 * taken[-1], 1),
            "machine": await machine.facts(running.broker, admin),
        }


async def _asked(client: httpx2.AsyncClient, given: argparse.Namespace) -> list[float]:
    """The first twenty questions warm up what any running service has warm."""
    chance = random.Random(7)  # noqa: S311 - which hashes are asked about, nothing secret
    taken = list[float]()
    for _ in range(20 + given.questions):
        hits = given.hashes // 2
        numbers = chance.sample(range(1, given.suppressed + 1), hits)
        others = (given.suppressed + chance.randrange(1, 10**12) for _ in range(given.hashes - hits))
        question = {"hashes": [hash_of(number) for number in (*numbers, *others)]}
        began = time.perf_counter()
        answer = await client.post("/suppression/check", json=question)
        found = answer.raise_for_status().json()["suppressed"]
        taken.append(time.perf_counter() - began)
        if len(found) != hits:
            raise RuntimeError(f"{len(found)} were found, {hits} are suppressed")
    return taken[20:]


@asynccontextmanager
async def _served(application: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning"))
    async with asyncio.TaskGroup() as serving:
        serving.create_task(server.serve(sockets=[listening]))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with httpx2.AsyncClient(base_url=address, timeout=60) as client:
            yield client
        server.should_exit = True


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure what asking for suppressed people costs.")
    parser.add_argument("--suppressed", type=int, default=1_000_000)
    parser.add_argument("--hashes", type=int, default=10_000, help="hashes in one question")
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--home", type=Path, default=Path(".habeas/bench"), help="where it lives; emptied")
    parser.add_argument("--page", type=Path, default=None, help="where to write the figures")
    return parser.parse_args()


if __name__ == "__main__":
    asked = arguments()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        page.keep(asked.page, "What asking for suppressed people costs", runner.run(bench(asked)))
