"""A small shop in a real database, and one person in it, for the suite that every adapter must pass.

Ada has two accounts (one merged into the other), orders with lines, tickets, an invoice that must stay and
a newsletter entry that only her hashed address leads to. She shares a household with Bob.
"""

import hashlib
import sqlite3
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from services.fulfillment.adapters.sql import open_adapter
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import Limits, Secret, System
from services.fulfillment.ports import Adapter, Key, Subject
from shared.policy.reading import read_yaml

EMAIL = "ada.canary@example.com"
NAME = "Ada Canary"
PHONE = "+15305550142"
# Long enough to stand in no digest and no signature by chance.
CARD = "4111-0000-0000-ada"
CANARIES = (EMAIL, "ada.canary", "Canary", "5550142", CARD)

BEFORE = datetime(2026, 1, 10, 9, 30, tzinfo=UTC)
CUT_OFF = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
AFTER = datetime(2026, 3, 1, 12, 1, tzinfo=UTC)

ORDER_1 = "0a000000-0000-4000-8000-000000000001"
ORDER_2 = "0a000000-0000-4000-8000-000000000002"
ORDER_BOB = "0b000000-0000-4000-8000-000000000001"
ORDER_NEW = "0c000000-0000-4000-8000-000000000001"

FOUND: dict[str, set[Key]] = {
    "customers": {(1,), (2,)},
    "households": {(20,)},
    "orders": {(ORDER_1,), (ORDER_2,)},
    "order_lines": {(1, ORDER_1), (2, ORDER_1), (1, ORDER_2)},
    "invoices": {(100,)},
    "tickets": {(200,), (201,)},
    "newsletter": {(300,)},
}
SHARED: dict[str, set[Key]] = {"households": {(10,)}}
ERASED = ("customers", "orders", "order_lines", "newsletter")

TABLES = (
    "products", "households", "customers", "orders", "order_lines", "invoices", "tickets", "newsletter",
)  # fmt: skip

_SCHEMA = """
CREATE TABLE products (id INTEGER PRIMARY KEY, title TEXT NOT NULL);
CREATE TABLE households (id INTEGER PRIMARY KEY, street TEXT NOT NULL, created_at {time} NOT NULL);
CREATE TABLE customers (
  id INTEGER PRIMARY KEY, email TEXT NOT NULL, phone TEXT, full_name TEXT NOT NULL,
  merged_into_id INTEGER REFERENCES customers (id), household_id INTEGER REFERENCES households (id),
  password_hash TEXT, marketing_opt_out BOOLEAN NOT NULL DEFAULT FALSE, created_at {time} NOT NULL);
CREATE TABLE orders (
  id {uuid} PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id), total NUMERIC(9, 2) NOT NULL,
  created_at {time} NOT NULL);
CREATE TABLE order_lines (
  order_id {uuid} NOT NULL REFERENCES orders (id), line_no INTEGER NOT NULL,
  product_id INTEGER NOT NULL REFERENCES products (id), created_at {time} NOT NULL,
  PRIMARY KEY (order_id, line_no));
CREATE TABLE invoices (
  id INTEGER PRIMARY KEY, billed_email TEXT NOT NULL, card_number TEXT, created_at {time} NOT NULL);
CREATE TABLE tickets (
  id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), requester_email TEXT, body TEXT,
  created_at {time} NOT NULL);
CREATE TABLE newsletter (
  id INTEGER PRIMARY KEY, email_sha256 TEXT NOT NULL, unsubscribed BOOLEAN NOT NULL DEFAULT FALSE,
  created_at {time} NOT NULL)
"""


_TYPES = {
    "postgresql": ("TIMESTAMPTZ", "UUID"),
    "mysql": ("DATETIME(6)", "CHAR(36)"),
    "sqlite": ("TEXT", "TEXT"),
}


def sha256(email: str) -> str:
    return hashlib.sha256(email.encode()).hexdigest()


def subject() -> Subject:
    return Subject({"email": EMAIL, "phone": PHONE})


class Shop:
    """The database under test, seen with its owner's eyes, and adapters to it as they are asked for."""

    def __init__(self, owner_url: str, adapter_url: str, home: Path) -> None:
        self.home = home
        self.adapter_url = adapter_url
        self._engine: AsyncEngine = create_async_engine(owner_url)
        self._adapters: list[Adapter] = []

    @property
    def absent_address(self) -> str:
        """Where there is no such system."""
        away = {"postgresql": "postgresql://a:b@127.0.0.1:1/c", "mysql": "mysql://a:b@127.0.0.1:1/c"}
        return away.get(self.dialect, f"sqlite:///{self.home}/absent.sqlite")

    def expected(self, tables: Mapping[str, set[Key]]) -> dict[str, set[Key]]:
        """Keys as this kind of system spells them."""
        return dict(tables)

    @property
    def dialect(self) -> str:
        return self._engine.dialect.name

    async def open(self) -> "Shop":
        time, uuid = _TYPES[self.dialect]
        for statement in _SCHEMA.format(time=time, uuid=uuid).split(";"):
            await self.run(statement)
        await self._fill()
        return self

    async def close(self) -> None:
        for adapter in self._adapters:
            await adapter.close()
        await self._engine.dispose()

    def system(self, url: str | None = None, limits: Limits | None = None) -> System:
        """The shop as a system, its address in a secret file as in production."""
        secret, hash_key = self.home / f"{len(self._adapters)}.url", self.home / "hash.key"
        secret.write_text(url or self.adapter_url)
        hash_key.write_text("a made-up key")
        return System(
            system="shop",
            kind="sql",
            business="shop",
            url=Secret(file=secret),
            hash_key=Secret(file=hash_key),
            dataset=Path("shop.yaml"),
            limits=limits or Limits(chunk_rows=2, connect_seconds=2, statement_seconds=2),
            datamap=read_dataset(
                read_yaml(Path(__file__).with_suffix(".yaml").read_bytes()), file="shop.yaml"
            ),
        )

    def adapter(self, system: System | None = None) -> Adapter:
        adapter = open_adapter(system or self.system())
        self._adapters.append(adapter)
        return adapter

    def owner(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A session of the owner's, for what takes more than one statement."""
        return self._engine.connect()

    async def run(self, statement: str, **values: Any) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(sa.text(statement), values)

    async def content(self) -> Mapping[str, list[tuple[Any, ...]]]:
        """Every row of every table, as texts."""
        async with self._engine.connect() as connection:
            return {name: await self._table(connection, name) for name in TABLES}

    async def rows(self, table: str) -> list[tuple[Any, ...]]:
        async with self._engine.connect() as connection:
            return await self._table(connection, table)

    async def add(self, table: str, **values: Any) -> None:
        """Add one row; times are bound as the dialect stores them."""
        values = {k: self._time(v) if isinstance(v, datetime) else v for k, v in values.items()}
        columns, slots = ", ".join(values), ", ".join(f":{name}" for name in values)
        await self.run(f"INSERT INTO {table} ({columns}) VALUES ({slots})", **values)  # noqa: S608 - our own names

    def _time(self, when: datetime) -> datetime | str:
        match self.dialect:
            case "postgresql":
                return when
            case "mysql":
                return when.astimezone(UTC).replace(tzinfo=None)
        return when.isoformat()

    async def re_register(self) -> None:
        """Ada comes back after the cut-off: a new account, order, invoice and newsletter entry."""
        await self.add("customers", id=9, email=EMAIL, full_name=NAME, household_id=10, created_at=AFTER)
        await self.add("orders", id=ORDER_NEW, customer_id=9, total=5, created_at=AFTER)
        await self.add("order_lines", order_id=ORDER_NEW, line_no=1, product_id=7, created_at=AFTER)
        await self.add("invoices", id=109, billed_email=EMAIL, created_at=AFTER)
        await self.add("newsletter", id=309, email_sha256=sha256(EMAIL), created_at=AFTER)

    async def order_on_old_account(self) -> None:
        """After the cut-off somebody orders on an account that is to be erased."""
        await self.add("orders", id=ORDER_NEW, customer_id=1, total=5, created_at=AFTER)

    async def fail_on_delete(self, table: str) -> None:
        """The database refuses, and its error quotes the person."""
        if self.dialect == "mysql":
            refuse = f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'cannot delete {EMAIL}'"
            await self.run(f"CREATE TRIGGER refuse BEFORE DELETE ON {table} FOR EACH ROW {refuse}")
        elif self.dialect == "postgresql":
            body = f"BEGIN RAISE EXCEPTION 'cannot delete {EMAIL}' USING DETAIL = '{NAME}'; END"
            await self.run(f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
            await self.run(f"CREATE TRIGGER refuse BEFORE DELETE ON {table} EXECUTE FUNCTION refuse()")
        else:
            refuse = f"SELECT RAISE(ABORT, 'cannot delete {EMAIL}')"
            await self.run(f"CREATE TRIGGER refuse BEFORE DELETE ON {table} BEGIN {refuse}; END")

    @staticmethod
    async def _table(connection: Any, name: str) -> list[tuple[Any, ...]]:
        rows = (await connection.execute(sa.text(f"SELECT * FROM {name}"))).all()  # noqa: S608 - our own names
        return sorted(tuple(str(value) for value in row) for row in rows)

    async def _fill(self) -> None:
        await self.add("products", id=7, title="A lamp")
        await self.add("households", id=10, street="1 Shared Way", created_at=BEFORE)
        await self.add("households", id=20, street="2 Canary Row", created_at=BEFORE)
        await self._people()
        for order, customer in ((ORDER_1, 1), (ORDER_2, 2), (ORDER_BOB, 3)):
            await self.add("orders", id=order, customer_id=customer, total=12.5, created_at=BEFORE)
        for order, line in ((ORDER_1, 1), (ORDER_1, 2), (ORDER_2, 1), (ORDER_BOB, 1)):
            await self.add("order_lines", order_id=order, line_no=line, product_id=7, created_at=BEFORE)
        await self._correspondence()

    async def _people(self) -> None:
        """The account that the phone leads to is merged into the one that the address leads to."""
        await self.add(
            "customers", id=1, email="Ada.Canary@Example.com", full_name=NAME, household_id=10,
            password_hash="made up", created_at=BEFORE,
        )  # fmt: skip
        await self.add(
            "customers", id=2, email="ada@old.example.org", phone="(530) 555-0142", full_name=NAME,
            household_id=20, merged_into_id=1, created_at=BEFORE,
        )  # fmt: skip
        await self.add(
            "customers", id=3, email="bob@example.com", phone="(530) 555-0199", full_name="Bob Other",
            household_id=10, created_at=BEFORE,
        )  # fmt: skip

    async def _correspondence(self) -> None:
        await self.add("invoices", id=100, billed_email=EMAIL, card_number=CARD, created_at=BEFORE)
        await self.add("invoices", id=101, billed_email="bob@example.com", created_at=BEFORE)
        await self.add("tickets", id=200, customer_id=1, body="It is Ada Canary.", created_at=BEFORE)
        await self.add("tickets", id=201, requester_email=EMAIL, body="Me again.", created_at=BEFORE)
        await self.add("tickets", id=202, customer_id=3, body="It is Bob.", created_at=BEFORE)
        await self.add("newsletter", id=300, email_sha256=sha256(EMAIL), created_at=BEFORE)
        await self.add("newsletter", id=301, email_sha256=sha256("bob@example.com"), created_at=BEFORE)


def sqlite_shop(home: Path) -> Shop:
    file = home / "shop.sqlite"
    sqlite3.connect(file).close()
    return Shop(f"sqlite+aiosqlite:///{file}", f"sqlite:///{file}", home)
