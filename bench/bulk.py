"""Lists of people against a real database and a real file, beside the same done by hand, in turn.

Three PostgreSQL tables (people, their orders, their visits) and a set of contacts in Parquet. `act_many` and
`prove_many` delete so many people and read back; by hand the same is one statement a table over a list of ids, with
one that reads back, and one pyarrow filter with one that reads back. Each round deletes people of its own from tables
that are filled anew. Then 20 others come alone, at once, to the same adapter in the same process: once while such a
list is at work, and once while nothing is. One JSON line.

    python bench/bulk.py --people 100000 --rows 1000000 --contacts 500000 --rounds 3
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

import asyncpg

from bench import beside, machine, memory, page
from bench.bulk_systems import ORDINARY, Systems
from bench.world import servers
from deploy.migrate import with_database
from deploy.serving import leave_alone_what_stays
from shared.settings import Settings


async def bench(given: argparse.Namespace) -> dict[str, object]:
    """Each way in turn, every time from full tables."""
    async with AsyncExitStack() as rest:
        settings, running = await rest.enter_async_context(servers(given.home.absolute(), "kafka", _say))
        admin = await asyncpg.connect(running.database_url)
        rest.push_async_callback(admin.close)
        await admin.execute("DROP DATABASE IF EXISTS bulk")
        await admin.execute("CREATE DATABASE bulk")
        systems = Systems(settings.home, with_database(running.database_url, "bulk"), given)
        ways: dict[str, Callable[[], Awaitable[float]]] = {
            "sql": lambda: systems.by_adapter("shop"),
            "sql_by_hand": systems.sql_by_hand,
            "parquet": lambda: systems.by_adapter("contacts"),
            "parquet_by_hand": systems.parquet_by_hand,
            "sql_ordinary": lambda: systems.ordinary("shop", beside=False),
            "sql_ordinary_beside": lambda: systems.ordinary("shop", beside=True),
            "parquet_ordinary": lambda: systems.ordinary("contacts", beside=False),
            "parquet_ordinary_beside": lambda: systems.ordinary("contacts", beside=True),
        }
        # As a service does once it has started.
        leave_alone_what_stays()
        taken: dict[str, list[float]] = {name: [] for name in ways}
        held, loads = list[dict[str, float]](), list[float]()
        for number in range(given.rounds):
            loads.append(round(os.getloadavg()[0], 2))
            memory.begin()
            for name, way in ways.items():
                await systems.fill("shop" if name.startswith("sql") else "contacts")
                taken[name].append(await way())
                _say(f"round {number + 1}: {name} {taken[name][-1]:.2f} s")
            held.append(memory.held())
            _say(f"round {number + 1}: {held[-1]}")
        through = beside.told(await _through_runner(settings, systems, running.database_url))
        facts = await machine.facts(running.broker, admin)
    return _summary(given, taken, held) | through | {"load_before_each_round": loads, "machine": facts}


async def _through_runner(settings: Settings, systems: Systems, url: str) -> dict[str, beside.Beside]:
    """Each system filled anew, and reached by the service's own runner."""
    admin, found = await asyncpg.connect(with_database(url, "habeas")), dict[str, beside.Beside]()
    for name in ("shop", "contacts") if systems.given.listed else ():
        await systems.fill(name)
        await systems.index(name)
        found[name] = await beside.measure(settings, systems.of(name), admin, systems.emails(name))
        _say(f"through the runner, {name}: {found[name]}")
    await admin.close()
    return found


def _summary(
    given: argparse.Namespace, taken: dict[str, list[float]], held: list[dict[str, float]]
) -> dict[str, object]:
    middle = {name: round(median(one), 2) for name, one in taken.items()}
    return {
        "bench": "bulk",
        "people": given.people,
        "rows_a_table": given.rows,
        "contacts": given.contacts,
        "seconds": middle,
        "sql_ratio": round(middle["sql"] / middle["sql_by_hand"], 2),
        "parquet_ratio": round(middle["parquet"] / middle["parquet_by_hand"], 2),
        "delay_seconds_of_ordinary": {
            name: round(middle[f"{name}_ordinary_beside"] - middle[f"{name}_ordinary"], 2)
            for name in ("sql", "parquet")
        },
        "ordinary": ORDINARY,
        **{f"{name}_each_round": [one[name] for one in held] for name in held[0]},
        "runs": {name: [round(each, 2) for each in one] for name, one in taken.items()},
    }


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure lists of people beside the same done by hand.")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows in each of the three tables")
    parser.add_argument("--contacts", type=int, default=500_000, help="rows in the Parquet set")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--listed", type=int, default=5000, help="people of a list through the runner; 0 for none"
    )
    parser.add_argument("--home", type=Path, default=Path(".habeas/bench"), help="where it lives; emptied")
    parser.add_argument("--page", type=Path, default=None, help="where to write the figures")
    return parser.parse_args()


if __name__ == "__main__":
    asked = arguments()
    page.keep(asked.page, "Lists of people beside the same done by hand", asyncio.run(bench(asked)))
