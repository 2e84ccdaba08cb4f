"""Whole lives of requests over a real SQL system of six tables: erasures and know requests posted at once.

Everything as in production on one machine: the four services over Kafka and PostgreSQL, and a shop in a database of
its own that the sql adapter reaches with a login that may read, change and delete. A person is eleven rows, three
hops from an e-mail address, one table reached by e-mail alone. Only the mail server is in memory. After each run the
shop is read by itself: nothing of the erased is there, nothing of anybody else is missing. One JSON line.

    python bench/shop.py --erasures 100 --knows 100 --runs 3
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from bench import costs, machine, page
from bench.pace import pause
from bench.workload import Prepared
from bench.world import BUSINESS, World, world
from deploy.local.stack import StackInfo
from deploy.migrate import with_database
from shared.settings import Settings

LABEL = "shop"
CUSTOMERS = 1000
ROWS = {"customers": 1, "addresses": 1, "orders": 3, "payments": 3, "tickets": 2, "leads": 1}
SCHEMA = """
CREATE TABLE customers (id int PRIMARY KEY, email text NOT NULL, full_name text, created_at timestamptz NOT NULL);
CREATE TABLE addresses (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, street text,
  created_at timestamptz NOT NULL);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, total numeric(9, 2),
  created_at timestamptz NOT NULL);
CREATE TABLE payments (id int PRIMARY KEY, order_id int NOT NULL REFERENCES orders, paid_with text,
  created_at timestamptz NOT NULL);
CREATE TABLE tickets (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, body text,
  created_at timestamptz NOT NULL);
CREATE TABLE leads (id int PRIMARY KEY, email text NOT NULL, wants text, created_at timestamptz NOT NULL);
CREATE INDEX ON customers (email); CREATE INDEX ON addresses (customer_id); CREATE INDEX ON orders (customer_id);
CREATE INDEX ON payments (order_id); CREATE INDEX ON tickets (customer_id); CREATE INDEX ON leads (lower(email));
"""
FILL = """
INSERT INTO customers SELECT n, 'person-' || n || '@shop.example.com', 'Person ' || n, now() - interval '1 year'
FROM generate_series(0, {last}) n;
INSERT INTO addresses SELECT n, n, n || ' Main Street', now() - interval '1 year' FROM generate_series(0, {last}) n;
INSERT INTO orders SELECT n, n / 3, 10, now() - interval '1 month' FROM generate_series(0, {last} * 3 + 2) n;
INSERT INTO payments SELECT n, n, 'a card', now() - interval '1 month' FROM generate_series(0, {last} * 3 + 2) n;
INSERT INTO tickets SELECT n, n / 2, 'where?', now() - interval '1 week' FROM generate_series(0, {last} * 2 + 1) n;
INSERT INTO leads SELECT n, 'person-' || n || '@shop.example.com', 'a lamp', now() - interval '2 years'
FROM generate_series(0, {last}) n;
"""
SYSTEM = """\
system: shop
title: Shop
kind: sql
business: bench
url: {{file: {file}}}
dataset: maps/shop.yaml
limits: {{connections: 8, statement_seconds: 20, calls_per_second: 100000}}
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: each kind's pace, the first that was over, and what it cost."""

    erasures_per_second: float
    knows_per_second: float
    first_ms: float
    cpu_seconds_per_request: dict[str, float]
    commits: float
    target_commits: float
    target_deleting_transactions: int
    others_cores: float
    load_before: float


@dataclass(slots=True)
class Shop:
    """The shop beside a running world; people are used up from the first to the last."""

    world: World
    given: argparse.Namespace
    connection: asyncpg.Connection
    used: int = 0
    erased: set[int] = field(default_factory=set)

    async def run(self, erasures: int, knows: int) -> Run:
        """Post all at once, and wait until the last is closed."""
        numbers = range(self.used, self.used + erasures + knows)
        self.used += erasures + knows
        deletes, others = numbers[:erasures], numbers[erasures:]
        # In turn, as they would come.
        prepared = self._prepared(deletes, "delete"), self._prepared(others, "know")
        mixed = [one for pair in zip(*prepared, strict=False) for one in pair]
        mixed += [*prepared[0][len(prepared[1]) :], *prepared[1][len(prepared[0]) :]]
        load, meter = os.getloadavg()[0], costs.Meter(self.world.pids)
        commits, target = await costs.commits(self.world.admin), await self._commits()
        started = asyncio.get_running_loop().time()
        await self.world.http.submit_all(mixed)
        await self.world.closings.all_of({one.request_id for one in mixed}, seconds=60 + len(mixed))
        others_cores = meter.others()
        await self._settled()
        used = meter.used()
        await pause(costs.STATISTICS_LAG_SECONDS)
        self.erased |= set(deletes)
        await self._true()
        at = [[self.world.closings.seen[one.request_id].at - started for one in each] for each in prepared]
        return Run(
            erasures_per_second=_pace(at[0]),
            knows_per_second=_pace(at[1]),
            first_ms=round(1000 * min(at[0] + at[1]), 1),
            cpu_seconds_per_request={name: round(one / len(mixed), 5) for name, one in used.items()},
            commits=round((await costs.commits(self.world.admin) - commits) / len(mixed), 2),
            target_commits=round((await self._commits() - target) / len(mixed), 3),
            target_deleting_transactions=await self._deleting(deletes),
            others_cores=others_cores,
            load_before=load,
        )

    def _prepared(self, numbers: range, right: str) -> list[Prepared]:
        claims = [self._claims(number, right) for number in numbers]
        return self.world.http.prepare(claims, f"{LABEL}-{right}-{numbers.start}")

    def _claims(self, number: int, right: str) -> dict[str, Any]:
        email = f"person-{number}@{LABEL}.example.com"
        return {
            "right": right,
            "residency": "US-CA",
            "requester": "subject",
            "name": f"Person {number}",
            "email": email,
            "customer_id": str(number),
            "assertion": self.world.accounts.assertion(email, subject=str(number)),
        }

    async def _settled(self) -> None:
        while await costs.not_at_rest(self.world.admin):
            self.world.services.check()
            await pause(0.2)

    async def _commits(self) -> int:
        query = "SELECT xact_commit FROM pg_stat_database WHERE datname = 'shop'"
        return int(await self.world.admin.fetchval(query))

    async def _deleting(self, deletes: range) -> int:
        """The transactions in which the shop's customers of this run were deleted, as its own trigger saw them."""
        query = "SELECT count(DISTINCT xid) FROM deleted WHERE id = ANY($1::int[])"
        return int(await self.connection.fetchval(query, list(deletes)))

    async def _true(self) -> None:
        """Every table by its own SQL: the erased are gone, whoever else was there still is."""
        for table, each in ROWS.items():
            left = await self.connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - our own names
            if left != each * (CUSTOMERS - len(self.erased)):
                raise RuntimeError(f"{table} holds {left} rows after {len(self.erased)} erasures")


async def bench(given: argparse.Namespace) -> dict[str, object]:
    """Everything, from nothing to the figures."""
    home = given.home.absolute()
    # The services inherit it: with it fulfillment reaches real systems, as in production.
    os.environ["HABEAS_FULFILLMENT_SYSTEMS"] = str(home / "systems")
    async with world(home, "kafka", _say, before=_opened) as running:
        connection = await asyncpg.connect(with_database(running.stack.database_url, "shop"))
        shop = Shop(running, given, connection)
        _say("warming up")
        await shop.run(given.warmup, given.warmup)
        runs = [await _told(shop, given) for _ in range(given.runs)]
        facts = await machine.facts(running.stack.broker, running.admin)
        await connection.close()
    return {**_summary(runs), "runs": [_plain(one) for one in runs], "machine": facts}


async def _opened(settings: Settings, running: StackInfo) -> None:
    """The shop in a database of its own, and its system's file."""
    admin = await asyncpg.connect(running.database_url)
    await admin.execute("CREATE DATABASE shop")
    await admin.close()
    url = with_database(running.database_url, "shop")
    shop = await asyncpg.connect(url)
    await shop.execute(SCHEMA + FILL.format(last=CUSTOMERS - 1))
    await shop.execute(
        "CREATE TABLE deleted (id int, xid xid8);"
        "CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN INSERT INTO deleted SELECT id, pg_current_xact_id() FROM gone; RETURN NULL; END$$;"
        "CREATE TRIGGER seen AFTER DELETE ON customers REFERENCING OLD TABLE AS gone"
        " FOR EACH STATEMENT EXECUTE FUNCTION seen()"
    )
    await shop.execute("ANALYZE")
    await shop.close()
    folder = settings.home / "systems"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    secret = settings.home / "secrets" / "shop.url"
    secret.write_text(url)
    secret.chmod(0o600)
    (folder / "shop.yaml").write_text(SYSTEM.format(file=secret))
    (folder / "maps").mkdir()
    shutil.copy(Path(__file__).parent / "shop_map" / "shop.yaml", folder / "maps" / "shop.yaml")


async def _told(shop: Shop, given: argparse.Namespace) -> Run:
    run = await shop.run(given.erasures, given.knows)
    _say(json.dumps(_plain(run)))
    return run


def _pace(at: list[float]) -> float:
    return round(len(at) / max(at), 1) if at else 0.0


def _plain(run: Run) -> dict[str, object]:
    return {name: getattr(run, name) for name in run.__slots__}


def _summary(runs: list[Run]) -> Mapping[str, object]:
    total = [sum(one.cpu_seconds_per_request.values()) for one in runs]
    return {
        "bench": "shop",
        "business": BUSINESS,
        "erasures_per_second": median(one.erasures_per_second for one in runs),
        "knows_per_second": median(one.knows_per_second for one in runs),
        "first_ms": median(one.first_ms for one in runs),
        "cpu_seconds_per_request": round(median(total), 4),
        "commits_per_request": median(one.commits for one in runs),
        "target_commits_per_request": median(one.target_commits for one in runs),
        "target_deleting_transactions": median(one.target_deleting_transactions for one in runs),
        "others_cores": [one.others_cores for one in runs],
    }


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure whole lives of requests over a shop of six tables.")
    parser.add_argument("--erasures", type=int, default=100)
    parser.add_argument("--knows", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--warmup", type=int, default=30, help="of each kind, before anything is measured")
    parser.add_argument("--home", type=Path, default=Path(".habeas/bench"), help="where it lives; emptied")
    parser.add_argument("--page", type=Path, default=None, help="where to write the figures")
    given = parser.parse_args()
    people = given.runs * (given.erasures + given.knows) + 2 * given.warmup
    if people > CUSTOMERS:
        parser.error(
            f"{people} requests, each by somebody else, and the shop has {CUSTOMERS} customers: ask for fewer"
        )
    return given


if __name__ == "__main__":
    asked = arguments()
    page.keep(asked.page, "Whole lives of requests over a shop of six tables", asyncio.run(bench(asked)))
