"""A town whose records are nested, in everything that looks into documents: one column of JSON, lines of it, documents.

Ada is known by an address and a number inside her profile. Her tickets lead from her by an owner inside them, her
letters by a list of readers, alerts by lists of addresses; her household
is found from her profile, and one is Bob's too.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import Limits, Secret, System
from services.fulfillment.ports import Adapter, Subject
from shared.policy.reading import read_yaml
from shared.private_files import write_private

ADA = Subject({"email": "ada.canary@example.com", "phone": "+15305550142"})
BOB = Subject({"email": "bob@example.com"})
MAP = Path(__file__).with_name("town_records.yaml")

Records = dict[str, list[dict[str, Any]]]

RECORDS: Records = {
    "people": [
        {"id": 1, "profile": {
            "email": "Ada.Canary@example.com", "card": "4111-0000-0000-ada", "home": 20, "weight": 17.10,
        }},
        {"id": 2, "profile": {
            "email": None, "phone": "(530) 555-0142", "home": 10, "prefs": {"no_sale": False, "theme": "dark"},
        }},
        {"id": 3, "profile": {"email": "bob@example.com", "home": 10, "prefs": {"no_sale": False}}},
    ],
    "households": [
        {"id": 10, "data": {"street": "1 Shared Way"}},
        {"id": 20, "data": {"street": "2 Canary Row"}},
    ],
    "tickets": [
        {"id": 30, "data": {
            "owner": {"id": 1}, "priority": "high", "big": 12345678901234567890, "cost": 12.50,
            "contacts": [
                {"email": "ada.canary@example.com", "name": "Ada Canary", "seat": "1A"},
                {"seat": "1B", "name": None}, "by telephone",
            ],
            "phones": ["530 555 0142", None],
        }},
        {"id": 31, "data": {
            "owner": {"id": 2}, "contacts": {"email": "canary@example.com", "seat": "2A"}, "phones": "5305550142",
        }},
        {"id": 32, "data": {"owner": {"id": 3}, "contacts": [{"email": "bob@example.com", "name": "Bob"}]}},
    ],
    "letters": [
        {"id": 40, "data": {"readers": [3, 1], "body": "Dear Ada", "signed": {"name": "A. Canary", "at": "x"}}},
        {"id": 41, "data": {"readers": ["2"], "body": ["Dear", "Ada"], "signed": [{"name": "Canary"}, {}]}},
        {"id": 42, "data": {"readers": [3], "body": "Dear Bob", "signed": {"name": "B."}}},
    ],
    "alerts": [
        {"id": 50, "data": {"to": ["x@example.com", "ADA.canary@example.com"], "sent": []}},
        {"id": 51, "data": {"to": [], "sent": [{"to": "ada.canary@example.com"}, {"no": 1}]}},
        {"id": 52, "data": {"to": "bob@example.com"}},
    ],
}  # fmt: skip


class World:
    """The town's records in one kind of system."""

    kind = ""
    settings: Mapping[str, str] = {}
    secrets: Mapping[str, str] = {}

    def __init__(self, home: Path) -> None:
        self.home = home
        self.address = ""
        self._adapters: list[Adapter] = []

    async def open(self) -> "World":
        await self.write(RECORDS)
        return self

    async def close(self) -> None:
        for each in self._adapters:
            await each.close()

    async def write(self, records: Records) -> None:
        raise NotImplementedError

    async def read(self) -> Records:
        """What is kept, by a way of its own; numbers to the last digit."""
        raise NotImplementedError

    def system(self) -> System:
        url, hash_key = self.home / "town.url", self.home / "hash.key"
        write_private(url, self.address.encode())
        write_private(hash_key, b"a made-up key")
        for name, value in self.secrets.items():
            write_private(self.home / name, value.encode())
        return System(
            system="town",
            kind=self.kind,
            business="town",
            url=Secret(file=url),
            hash_key=Secret(file=hash_key),
            secrets={name: Secret(file=self.home / name) for name in self.secrets},
            settings=self.settings,
            dataset=MAP,
            limits=Limits(chunk_rows=2, connect_seconds=2, statement_seconds=5),
            datamap=read_dataset(read_yaml(MAP.read_bytes()), file=MAP.name, nested=True),
        )

    def adapter(self, system: System | None = None) -> Adapter:
        module = import_module(f"services.fulfillment.adapters.{self.kind}")
        adapter: Adapter = module.open_adapter(system or self.system())
        self._adapters.append(adapter)
        return adapter


class InSql(World):
    """A column of JSON in each table."""

    kind = "sql"

    def __init__(self, home: Path, owner: str, address: str, json_type: str) -> None:
        super().__init__(home)
        self.address = address
        self.engine = create_async_engine(owner)
        self._type = json_type

    @property
    def _on_mysql(self) -> bool:
        return self.engine.dialect.name in {"mysql", "mariadb"}

    async def write(self, records: Records) -> None:
        async with self.engine.begin() as connection:
            for table, rows in records.items():
                column = _document(rows)
                make = f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, {column} {self._type})"
                await connection.execute(sa.text(make))
                said = ":said" if self._on_mysql else f"CAST(:said AS {self._type})"
                put = f"INSERT INTO {table} VALUES (:id, {said})"  # noqa: S608 - our own names
                for row in rows:
                    values = {"id": row["id"], "said": json.dumps(row[column])}
                    await connection.execute(sa.text(put), values)

    async def read(self) -> Records:
        async with self.engine.connect() as connection:
            return {table: await self._table(connection, table) for table in RECORDS}

    async def close(self) -> None:
        await super().close()
        await self.engine.dispose()

    async def _table(self, connection: Any, table: str) -> list[dict[str, Any]]:
        column = _document(RECORDS[table])
        text = "CHAR" if self._on_mysql else "TEXT"
        query = f"SELECT id, CAST({column} AS {text}) FROM {table} ORDER BY id"  # noqa: S608 - our own names
        return [
            {"id": number, column: exact(said)}
            for number, said in (await connection.execute(sa.text(query))).all()
        ]


class InLines(World):
    """A file of JSON lines for each collection, in a folder or a bucket."""

    kind = "objects"

    def __init__(self, home: Path, place: Any) -> None:
        super().__init__(home)
        self.place = place
        self.address, self.settings, self.secrets = place.address, place.settings, place.secrets

    async def write(self, records: Records) -> None:
        for name, rows in records.items():
            self.place.write(f"{name}.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows).encode())

    async def read(self) -> Records:
        texts = {name: self.place.read(f"{name}.jsonl").decode() for name in RECORDS}
        return {name: [exact(line) for line in text.splitlines()] for name, text in texts.items()}


class InPlace(World):
    """A store of documents."""

    def __init__(self, home: Path, place: Any, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(home)
        self.place, self.kind = place, place.kind
        self.settings, self.secrets = settings or {}, getattr(place, "secrets", {})

    async def open(self) -> "World":
        await self.place.open()
        self.address = self.place.address
        return await super().open()

    async def write(self, records: Records) -> None:
        for name, rows in records.items():
            await self.place.write(name, [_small(row) for row in rows])

    async def read(self) -> Records:
        found = {name: await self.place.read(name) for name in RECORDS}
        ordered = {name: sorted(rows, key=lambda row: row["id"]) for name, rows in found.items()}
        return {name: [exact(json.dumps(row)) for row in rows] for name, rows in ordered.items()}

    async def close(self) -> None:
        await super().close()
        await self.place.close()


def exact(text: str) -> Any:
    """JSON with its numbers as they are written."""
    return json.loads(text, parse_float=Decimal)


def _document(rows: list[dict[str, Any]]) -> str:
    return next(name for name in rows[0] if name != "id")


def _small(row: dict[str, Any]) -> dict[str, Any]:
    """Not every store has numbers of so many digits."""
    return json.loads(json.dumps(row).replace("12345678901234567890", "123456789012"))  # type: ignore[no-any-return]
