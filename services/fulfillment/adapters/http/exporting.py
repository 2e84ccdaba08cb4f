"""Know: the rows of the frozen keys; values that 11 CCR 7024(d) forbids to show are counted and dropped at once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.fulfillment.adapters.http.rows import Row
from services.fulfillment.adapters.http.tables import Table, Tables
from services.fulfillment.ports import ExportedDataset, Frozen, Withheld


async def export_rows(
    tables: Tables, frozen: Frozen, cut_off: datetime, since: datetime | None
) -> tuple[ExportedDataset, ...]:
    """Read what is the person's alone; a row that others share may be theirs and is not shown."""
    names = {name: keys for name, keys in frozen.rows.items() if tables[name].collection.treatment != "keep"}
    held = await tables.held(names, cut_off)
    return tuple(
        _dataset(tables[name], [row for row in rows.values() if _recent(tables[name], row, since)])
        for name, rows in sorted(held.items())
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
    return {f.name: row.get(f.name) for f in table.collection.fields.values() if not f.withheld}
