"""The shop in Delta tables, a folder for each."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from tests.support.shop_in_documents import Rows

_NUMBERS = frozenset({"id", "line_no", "product_id", "customer_id", "household_id", "merged_into_id"})
_TRUTHS = frozenset({"marketing_opt_out", "unsubscribed", "opted_out"})
_TIME = pa.timestamp("us", tz="UTC")


class InDelta:
    """A folder of its own for each test."""

    kind = "delta"
    settings: Mapping[str, str] = {}
    textual = False
    seconds = 10

    def __init__(self, home: Path) -> None:
        self.folder = home / "lake"
        self.address, self.absent = str(self.folder), str(home / "absent")

    async def open(self) -> None:
        self.folder.mkdir()

    async def close(self) -> None:
        """It goes with the test's folder."""

    async def write(self, table: str, rows: Rows) -> None:
        place = str(self.folder / table)
        there = DeltaTable.is_deltatable(place)
        if rows and not (there and await self.read(table) == rows):
            schema = pa.schema([(name, _kind(table, name)) for name in rows[0]])
            content = pa.Table.from_pylist([_dated(row) for row in rows], schema)
            write_deltalake(place, content, mode="overwrite", schema_mode="overwrite")
        elif there and not rows:
            DeltaTable(place).delete()

    async def read(self, table: str) -> Rows:
        found = DeltaTable(str(self.folder / table)).to_pyarrow_table().to_pylist()
        return [{n: v.isoformat() if isinstance(v, datetime) else v for n, v in row.items()} for row in found]

    async def forbid(self, table: str) -> None:
        DeltaTable(str(self.folder / table)).alter.set_table_properties({"delta.appendOnly": "true"})


def _kind(table: str, name: str) -> Any:
    if name in _NUMBERS and not (table == "orders" and name == "id"):
        return pa.int64()
    if name in _TRUTHS:
        return pa.bool_()
    return {"total": pa.float64(), "created_at": _TIME}.get(name, pa.string())


def _dated(row: Mapping[str, Any]) -> dict[str, Any]:
    return {n: datetime.fromisoformat(v) if n == "created_at" and v else v for n, v in row.items()}
