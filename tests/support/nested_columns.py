"""The town's records with types: structs, lists of structs and of texts, in Parquet files and in Delta tables."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

from tests.support.nested_worlds import Records, World

AT = datetime(2024, 3, 5, 6, 7, 8, 123456, tzinfo=UTC)
TIME = pa.timestamp("us", "UTC")
MONEY = pa.decimal128(12, 4)


def struct(**fields: Any) -> Any:
    return pa.struct(list(fields.items()))


_TEXT = pa.string()
_KEY = ("id", pa.int64())
_PREFS = struct(no_sale=pa.bool_(), theme=_TEXT)
_PROFILE = struct(
    email=_TEXT, phone=_TEXT, card=_TEXT, home=pa.int64(), weight=MONEY, seen=TIME, prefs=_PREFS
)
_CONTACT = struct(email=_TEXT, name=_TEXT, seat=_TEXT, since=TIME)
SCHEMAS: Mapping[str, Any] = {
    "people": pa.schema([_KEY, ("profile", _PROFILE)]),
    "households": pa.schema([_KEY, ("data", struct(street=_TEXT, built=TIME))]),
    "tickets": pa.schema(
        [
            _KEY,
            (
                "data",
                struct(
                    owner=struct(id=pa.int64()),
                    contacts=pa.list_(_CONTACT),
                    phones=pa.list_(_TEXT),
                    cost=MONEY,
                    at=TIME,
                ),
            ),
        ]
    ),
    "letters": pa.schema(
        [
            _KEY,
            (
                "data",
                struct(
                    readers=pa.list_(pa.int64()),
                    body=_TEXT,
                    signed=pa.list_(struct(name=_TEXT, at=TIME)),
                ),
            ),
        ]
    ),
    "alerts": pa.schema(
        [_KEY, ("data", struct(to=pa.list_(_TEXT), sent=pa.list_(struct(to=_TEXT, no=pa.int32()))))]
    ),
}
TYPED: Records = {
    "people": [
        {"id": 1, "profile": {
            "email": "Ada.Canary@example.com", "card": "4111-0000-0000-ada", "home": 20,
            "weight": Decimal("17.1000"), "seen": AT,
        }},
        {"id": 2, "profile": {"phone": "(530) 555-0142", "home": 10, "prefs": {"no_sale": False, "theme": "dark"}}},
        {"id": 3, "profile": {"email": "bob@example.com", "home": 10, "prefs": {"no_sale": False}}},
        {"id": 4, "profile": None},
    ],
    "households": [
        {"id": 10, "data": {"street": "1 Shared Way", "built": AT}},
        {"id": 20, "data": {"street": "2 Canary Row", "built": AT}},
    ],
    "tickets": [
        {"id": 30, "data": {
            "owner": {"id": 1}, "cost": Decimal("12.5000"), "at": AT, "phones": ["530 555 0142", None],
            "contacts": [
                {"email": "ada.canary@example.com", "name": "Ada Canary", "seat": "1A", "since": AT},
                None, {"seat": "1B", "since": AT},
            ],
        }},
        {"id": 31, "data": {"owner": {"id": 2}, "phones": None, "contacts": None, "at": AT}},
        {"id": 32, "data": {
            "owner": {"id": 3}, "phones": [], "at": AT,
            "contacts": [{"email": "bob@example.com", "name": "Bob", "since": AT}],
        }},
        {"id": 33, "data": None},
    ],
    "letters": [
        {"id": 40, "data": {"readers": [3, 1], "body": "Dear Ada", "signed": [{"name": "A. Canary", "at": AT}]}},
        {"id": 41, "data": {"readers": [2], "body": None, "signed": [{"name": "Canary"}, {"at": AT}]}},
        {"id": 42, "data": {"readers": [3], "body": "Dear Bob", "signed": [{"name": "B."}]}},
    ],
    "alerts": [
        {"id": 50, "data": {"to": ["x@example.com", "ADA.canary@example.com"], "sent": []}},
        {"id": 51, "data": {"to": [], "sent": [None, {"to": "ada.canary@example.com"}, {"no": 1}]}},
        {"id": 52, "data": {"to": ["bob@example.com"], "sent": None}},
    ],
}  # fmt: skip


class InParquet(World):
    """A Parquet file for each collection, with a row group for every two rows."""

    kind = "objects"

    def __init__(self, home: Path, place: Any) -> None:
        super().__init__(home)
        self.place = place
        self.address, self.settings, self.secrets = place.address, place.settings, place.secrets

    async def open(self) -> "World":
        await self.write(TYPED)
        return self

    async def write(self, records: Records) -> None:
        for name, rows in records.items():
            out = io.BytesIO()
            pq.write_table(table_of(name, rows), out, row_group_size=2)
            self.place.write(f"{name}.parquet", out.getvalue())

    async def read(self) -> Records:
        return {name: self.file(name).read().to_pylist() for name in TYPED}

    def file(self, name: str) -> Any:
        return pq.ParquetFile(io.BytesIO(self.place.read(f"{name}.parquet")))


class InDeltaTables(World):
    """A Delta table for each collection."""

    kind = "delta"

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.lake = home / "lake"
        self.lake.mkdir()
        self.address = str(self.lake)

    async def open(self) -> "World":
        await self.write(TYPED)
        return self

    async def write(self, records: Records) -> None:
        for name, rows in records.items():
            write_deltalake(self.lake / name, table_of(name, rows), mode="overwrite")

    async def read(self) -> Records:
        tables = {name: DeltaTable(self.lake / name).to_pyarrow_table().to_pylist() for name in TYPED}
        return {name: sorted(rows, key=lambda row: row["id"]) for name, rows in tables.items()}


def table_of(name: str, rows: list[dict[str, Any]]) -> Any:
    return pa.Table.from_pylist(rows, SCHEMAS[name])
