"""Know: the rows of the frozen keys; values that 11 CCR 7024(d) forbids to show are counted and dropped at once."""

import base64
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.fulfillment.ports import ExportedDataset, Key, Withheld
from services.fulfillment.rowwise.reading import Table, Tables
from services.fulfillment.rowwise.rows import Row


def exported(
    tables: Tables, held: Mapping[str, Mapping[Key, Row]], since: datetime | None
) -> tuple[ExportedDataset, ...]:
    """What is the person's alone; a row that others share may be theirs and is not shown."""
    return tuple(
        _dataset(tables[name], [row for row in rows.values() if _recent(tables[name], row, since)])
        for name, rows in sorted(held.items())
        if tables[name].collection.treatment != "keep"
    )


def _recent(table: Table, row: Row, since: datetime | None) -> bool:
    created = table.shape.created(row)
    return since is None or created is None or created >= since


def _dataset(table: Table, rows: list[Row]) -> ExportedDataset:
    fields = table.collection.fields.values()
    counts = {f: sum(row.get(f.name) is not None for row in rows) for f in fields if f.withheld}
    return ExportedDataset(
        dataset=table.name,
        rows=tuple(_shown(table, row) for row in sorted(rows, key=lambda row: str(table.shape.key_of(row)))),
        categories={f.name: f.category for f in fields if f.category},
        withheld=tuple(Withheld(f.name, f.withheld or "", count) for f, count in counts.items() if count),
    )


def _shown(table: Table, row: Row) -> Mapping[str, Any]:
    return {f.name: _plain(row.get(f.name)) for f in table.collection.fields.values() if not f.withheld}


def _plain(value: Any) -> Any:
    """A value as an answer shows it."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value) if isinstance(value, Decimal | UUID) else value
