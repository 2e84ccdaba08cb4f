"""The shop in Delta tables, a folder for each, or a prefix in a bucket."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from services.fulfillment.adapters.delta.bucket import options
from services.fulfillment.buckets import Account
from tests.support.object_store import ObjectStore
from tests.support.shop_in_documents import Rows

_NUMBERS = frozenset({"id", "line_no", "product_id", "customer_id", "household_id", "merged_into_id"})
_TRUTHS = frozenset({"marketing_opt_out", "unsubscribed", "opted_out"})
_TIME = pa.timestamp("us", tz="UTC")


class InDelta:
    """A folder of its own for each test, or a bucket with versions."""

    kind = "delta"
    textual = False
    seconds = 10

    def __init__(self, home: Path, store: ObjectStore | None = None) -> None:
        self.settings: Mapping[str, str] = {}
        self.secrets: Mapping[str, str] = {}
        self.address, self.absent = str(home / "lake"), str(home / "absent")
        self._options: dict[str, str] = {}
        if store is None:
            (home / "lake").mkdir()
            return
        self.address, self.absent = f"s3://{store.new_bucket(versions=True)}/lake", "s3://absent/lake"
        self.settings = {"endpoint": store.endpoint}
        self.secrets = {"access_key": "owner", "secret_key": "owner"}
        self._options = options(Account("", "", store.endpoint, None, "owner", "owner"))

    async def open(self) -> None:
        """It is there already."""

    async def close(self) -> None:
        """It goes with the test's folder."""

    async def write(self, table: str, rows: Rows) -> None:
        place = self._place(table)
        there = DeltaTable.is_deltatable(place, self._options)
        if rows and not (there and await self.read(table) == rows):
            schema = pa.schema([(name, _kind(table, name)) for name in rows[0]])
            content = pa.Table.from_pylist([_dated(row) for row in rows], schema)
            write_deltalake(
                place, content, mode="overwrite", schema_mode="overwrite", storage_options=self._options
            )
        elif there and not rows:
            self._table(table).delete()

    async def read(self, table: str) -> Rows:
        found = self._table(table).to_pyarrow_table().to_pylist()
        return [{n: v.isoformat() if isinstance(v, datetime) else v for n, v in row.items()} for row in found]

    async def forbid(self, table: str) -> None:
        self._table(table).alter.set_table_properties({"delta.appendOnly": "true"})

    def _place(self, table: str) -> str:
        return f"{self.address}/{table}"

    def _table(self, table: str) -> DeltaTable:
        return DeltaTable(self._place(table), storage_options=self._options)


def _kind(table: str, name: str) -> Any:
    if name in _NUMBERS and not (table == "orders" and name == "id"):
        return pa.int64()
    if name in _TRUTHS:
        return pa.bool_()
    return {"total": pa.float64(), "created_at": _TIME}.get(name, pa.string())


def _dated(row: Mapping[str, Any]) -> dict[str, Any]:
    return {n: datetime.fromisoformat(v) if n == "created_at" and v else v for n, v in row.items()}
