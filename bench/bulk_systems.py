"""Two systems for lists of people, with their adapters; the same done by hand; and a few who come alone."""

import argparse
import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from bench.pace import pause
from services.fulfillment.bulk import Listed, Order, act_many, gathered, prove_many
from services.fulfillment.connecting import adapter_of
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
        home = self.of(name)
        home.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{name}.map.yaml").write_text(yaml.safe_dump(dataset))
        system = {"system": name, "kind": kind, "url": {"file": str(self.folder / f"{name}.url")}, **SYSTEM}
        stated = {**system, "dataset": str(self.folder / f"{name}.map.yaml"), **more}
        (home / f"{name}.yaml").write_text(yaml.safe_dump(stated))

    def of(self, name: str) -> Path:
        """The folder with this system's file alone, as a service is given it."""
        return self.folder / "systems" / name

    def adapter(self, name: str) -> Adapter:
        """The adapter as fulfillment makes it."""
        return adapter_of(load_system(self.of(name) / f"{name}.yaml", home=self.folder), SystemClock())

    async def fill(self, name: str) -> None:
        """One of them as it was before anybody was deleted."""
        await (self._fill_shop() if name == "shop" else asyncio.to_thread(self._fill_contacts))

    async def _fill_shop(self) -> None:
        connection = await asyncpg.connect(self.url)
        await connection.execute(SCHEMA.format(rows=self.given.rows), timeout=1800)
        await connection.execute("CHECKPOINT", timeout=600)
        await connection.close()

    async def index(self, name: str) -> None:
        """A person is found by e-mail: an application has an index for that."""
        if name == "shop":
            connection = await asyncpg.connect(self.url)
            await connection.execute("CREATE INDEX ON people (lower(email)); CREATE INDEX ON people (email)")
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

    def emails(self, name: str) -> dict[str, list[str]]:
        """Who comes alone, who is listed, and who comes beside the list, through the service."""
        ids = self.ids(name)[: self.given.listed + 2 * ORDINARY]
        told = [f"person-{one}@example.com" for one in ids]
        few = slice(ORDINARY), slice(ORDINARY, 2 * ORDINARY), slice(2 * ORDINARY, None)
        return dict(zip(("alone", "beside", "listed"), (told[each] for each in few), strict=True))

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
        raise TypeError(f"somebody who came alone was not deleted: {done} {proof}")
    return time.perf_counter()
