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
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import asyncpg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from bench import machine, page
from bench.pace import pause
from bench.world import servers
from deploy.migrate import with_database
from deploy.serving import leave_alone_what_stays
from services.fulfillment.app import adapter_of
from services.fulfillment.bulk import Listed, Order, act_many, gathered, prove_many
from services.fulfillment.datamap.systems import load_system
from services.fulfillment.ports import Adapter, Done, Frozen, Gone
from shared.clock import SystemClock

TABLES = ("visits", "orders", "people")
SCHEMA = """
DROP TABLE IF EXISTS visits, orders, people;
CREATE TABLE people (id int PRIMARY KEY, email text NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE orders (id int PRIMARY KEY, person_id int NOT NULL, total int, created_at timestamptz NOT NULL);
CREATE TABLE visits (id int PRIMARY KEY, person_id int NOT NULL, page text, created_at timestamptz NOT NULL);
INSERT INTO people SELECT n, 'person-' || n || '@example.com', now() - interval '1 year'
FROM generate_series(1, {rows}) n;
INSERT INTO orders SELECT n, n, 10, now() - interval '1 month' FROM generate_series(1, {rows}) n;
INSERT INTO visits SELECT n, n, 'a page', now() - interval '1 week' FROM generate_series(1, {rows}) n;
CREATE INDEX ON orders (person_id); CREATE INDEX ON visits (person_id);
ANALYZE people, orders, visits;
"""
CREATED = {"fides_meta": {"habeas": {"created_at": "created_at"}}}
ID = {"name": "id", "fides_meta": {"primary_key": True}}
EMAIL = {
    "name": "email",
    "data_categories": ["user.contact.email"],
    "fides_meta": {"identity": "email"},
}
OWNER = {
    "name": "person_id",
    "fides_meta": {"references": [{"dataset": "shop", "field": "people.id", "direction": "from"}]},
}
ORDINARY = 20
BEGUN_SECONDS = 0.1
"""The list has begun when the others come."""
SYSTEM = {"business": "bench", "limits": {"statement_seconds": 300, "chunk_rows": 5000, "connections": 4}}


class Systems:
    """The two systems with their adapters, and the same reached by hand."""

    def __init__(self, folder: Path, url: str, given: argparse.Namespace) -> None:
        self.folder, self.url, self.given = folder, url, given
        self.file = folder / "contacts" / "contacts.parquet"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        (folder / "shop.url").write_text(url)
        (folder / "contacts.url").write_text(f"file://{self.file.parent}")
        tables = [
            {"name": name, **CREATED, "fields": [ID, who, {"name": "created_at"}]}
            for name, who in (("people", EMAIL), ("orders", OWNER), ("visits", OWNER))
        ]
        self._write("shop", "sql", tables)
        contacts = [{"name": "contacts", **CREATED, "fields": [ID, EMAIL, {"name": "created_at"}]}]
        self._write("contacts", "objects", contacts, settings={"files.contacts": "contacts.parquet"})

    def _write(self, name: str, kind: str, collections: Sequence[object], **more: object) -> None:
        dataset = {"dataset": [{"fides_key": name, "name": name, "collections": collections}]}
        (self.folder / f"{name}.map.yaml").write_text(yaml.safe_dump(dataset))
        system = {"system": name, "kind": kind, "url": {"file": str(self.folder / f"{name}.url")}, **SYSTEM}
        stated = {**system, "dataset": f"{name}.map.yaml", **more}
        (self.folder / f"{name}.yaml").write_text(yaml.safe_dump(stated))

    def adapter(self, name: str) -> Adapter:
        """The adapter as fulfillment makes it."""
        return adapter_of(load_system(self.folder / f"{name}.yaml", home=self.folder), SystemClock())

    async def fill(self, name: str) -> None:
        """One of them as it was before anybody was deleted."""
        await (self._fill_shop() if name == "shop" else asyncio.to_thread(self._fill_contacts))

    async def _fill_shop(self) -> None:
        connection = await asyncpg.connect(self.url)
        await connection.execute(SCHEMA.format(rows=self.given.rows), timeout=1800)
        await connection.execute("CHECKPOINT", timeout=600)
        await connection.close()

    def _fill_contacts(self) -> None:
        numbers = pa.array(range(1, self.given.contacts + 1), pa.int64())
        emails = pc.binary_join_element_wise("person-", pc.cast(numbers, pa.string()), "@example.com", "")
        stamp = pa.array([datetime(2025, 1, 1, tzinfo=UTC)] * self.given.contacts, pa.timestamp("us", "UTC"))
        pq.write_table(pa.table({"id": numbers, "email": emails, "created_at": stamp}), self.file)

    def ids(self, name: str) -> list[int]:
        """Whom a round is about: spread over all that there are."""
        there = self.given.rows if name == "shop" else self.given.contacts
        number = min(self.given.people, there)
        return list(range(1, there + 1, max(1, there // number)))[:number]

    def orders(self, name: str, ids: Sequence[int]) -> list[Order]:
        """What each of them is bound to."""
        cut_off, tables = (
            SystemClock().now() + timedelta(hours=1),
            TABLES if name == "shop" else ("contacts",),
        )
        return [Order(Frozen(dict.fromkeys(tables, ((one,),))), cut_off, f"{one:064x}") for one in ids]

    async def by_adapter(self, name: str) -> float:
        """The two verbs for lists; everybody must be done, and proved."""
        adapter, orders = self.adapter(name), self.orders(name, self.ids(name))
        began = time.perf_counter()
        await _all_done(adapter, orders)
        seconds = time.perf_counter() - began
        await adapter.close()
        return seconds

    async def ordinary(self, name: str, *, beside: bool) -> float:
        """How long the last of a few takes who come alone and at once; beside a list at work, or not."""
        adapter, ids = self.adapter(name), self.ids(name)
        few = self.orders(name, [one + 1 for one in ids[:: max(1, len(ids) // ORDINARY)]][:ORDINARY])
        listed, single = self.orders(name, ids if beside else []), gathered(adapter)
        async with asyncio.TaskGroup() as group:
            if beside:
                group.create_task(_all_done(adapter, listed))
                await pause(BEGUN_SECONDS)
            began = time.perf_counter()
            ends = [group.create_task(_one_done(single, one)) for one in few]
        await adapter.close()
        return max(one.result() for one in ends) - began

    async def sql_by_hand(self) -> float:
        """One statement a table, in one transaction, and one that reads back."""
        connection, ids = await asyncpg.connect(self.url), self.ids("shop")
        began = time.perf_counter()
        async with connection.transaction():
            for table in TABLES:
                query = f"DELETE FROM {table} WHERE id = ANY($1::int[]) AND created_at <= now()"  # noqa: S608 - ours
                await connection.execute(query, ids, timeout=600)
        left = [
            await connection.fetchval(f"SELECT count(*) FROM {table} WHERE id = ANY($1::int[])", ids)  # noqa: S608 - our own table
            for table in TABLES
        ]
        seconds = time.perf_counter() - began
        await connection.close()
        if any(left):
            raise RuntimeError("by hand something was left")
        return seconds

    async def parquet_by_hand(self) -> float:
        """Read, filter, write beside, put in its place, and read back."""
        ids, aside = pa.array(self.ids("contacts"), pa.int64()), self.file.with_suffix(".new")
        began = time.perf_counter()
        table = pq.read_table(self.file)
        pq.write_table(table.filter(pc.invert(pc.is_in(table["id"], ids))), aside)
        aside.replace(self.file)
        left = pc.sum(pc.is_in(pq.read_table(self.file, columns=["id"])["id"], ids)).as_py()
        if left:
            raise RuntimeError("by hand something was left")
        return time.perf_counter() - began


async def _all_done(adapter: Adapter, people: Sequence[Order]) -> None:
    orders = Listed(people)
    outcomes = await act_many(adapter, "delete", orders)
    proofs = await prove_many(adapter, "delete", orders)
    if not all(isinstance(one, Done) for one in outcomes) or not all(isinstance(p, Gone) for p in proofs):
        raise RuntimeError("not everybody was deleted")


async def _one_done(adapter: Adapter, one: Order) -> float:
    """When it was done and proved."""
    key = one.idempotency_key
    done = await adapter.act("delete", one.frozen, cut_off=one.cut_off, idempotency_key=key)
    proof = await adapter.prove("delete", one.frozen, cut_off=one.cut_off)
    if not isinstance(done, Done) or not isinstance(proof, Gone):
        raise TypeError("somebody who came alone was not deleted")
    return time.perf_counter()


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
        peaks, loads = list[float](), list[float]()
        for number in range(given.rounds):
            loads.append(round(os.getloadavg()[0], 2))
            for name, way in ways.items():
                await systems.fill("shop" if name.startswith("sql") else "contacts")
                taken[name].append(await way())
                _say(f"round {number + 1}: {name} {taken[name][-1]:.2f} s")
            peaks.append(round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1))
        facts = await machine.facts(running.broker, admin)
    return _summary(given, taken, peaks) | {"load_before_each_round": loads, "machine": facts}


def _summary(
    given: argparse.Namespace, taken: dict[str, list[float]], peaks: list[float]
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
        "peak_mb_after_each_round": peaks,
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
    parser.add_argument("--home", type=Path, default=Path(".habeas/bench"), help="where it lives; emptied")
    parser.add_argument("--page", type=Path, default=None, help="where to write the figures")
    return parser.parse_args()


if __name__ == "__main__":
    asked = arguments()
    page.keep(asked.page, "Lists of people beside the same done by hand", asyncio.run(bench(asked)))
