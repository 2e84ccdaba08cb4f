"""The same seven steps in DBOS, as its documentation has it: what durable execution of one request costs elsewhere.

Runs in an environment of its own (requirements/bench-dbos.txt), against the same PostgreSQL with the same fsync.
Every workflow has seven steps that return at once; DBOS commits each step's result. Prints one JSON line with the
workflows per second at each concurrency; `ready` is printed before, and the work begins when a line is read.

    python bench/peer_dbos.py --requests 500 --concurrency 8,32,128 < url-file
"""

import argparse
import asyncio
import json
import sys
import time
import uuid

from dbos import DBOS, DBOSConfig

STEPS = ("received", "verified", "crm", "billing", "marketing", "fulfilled", "closed")


@DBOS.step()
async def done(request_id: str, step: str) -> dict[str, str]:
    """One step; what it says is what our own records say of a step, without its proofs."""
    return {"request_id": request_id, "step": step, "outcome": "done"}


@DBOS.workflow()
async def lifecycle(request_id: str) -> str:
    """One request: received, verified, three systems at once, fulfilled, closed."""
    await done(request_id, STEPS[0])
    await done(request_id, STEPS[1])
    await asyncio.gather(*(done(request_id, system) for system in STEPS[2:5]))
    await done(request_id, STEPS[5])
    await done(request_id, STEPS[6])
    return "complete"


async def burst(requests: int, concurrency: int) -> float:
    """Workflows per second, from the first start to the last result."""
    free = asyncio.Semaphore(concurrency)

    async def one() -> None:
        async with free:
            handle = await DBOS.start_workflow_async(lifecycle, str(uuid.uuid4()))
            if await handle.get_result() != "complete":
                raise RuntimeError("a workflow did not complete")

    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(requests):
            group.create_task(one())
    return requests / (time.monotonic() - began)


async def main(given: argparse.Namespace) -> None:
    """Warm up, then a burst at each concurrency."""
    await burst(min(50, given.requests), 8)
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        rates = {each: round(await burst(given.requests, each), 1) for each in given.concurrency}
        print(json.dumps({"bench": "peer_dbos", "workflows_per_second": rates}), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the same steps in DBOS.")
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument(
        "--concurrency", type=lambda text: [int(one) for one in text.split(",")], default=[32]
    )
    arguments = parser.parse_args()
    # The address holds a password, so it comes by standard input.
    config: DBOSConfig = {
        "name": "peer",
        "system_database_url": sys.stdin.readline().strip(),
        "log_level": "WARNING",
    }
    config["sys_db_pool_size"] = 20
    config["run_admin_server"] = False
    DBOS(config=config)
    DBOS.launch()
    asyncio.run(main(arguments))
