"""Opt out and limit: set the column that the map names, on the frozen rows, where it is not set yet."""

from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.conditions import Condition, these, until
from services.fulfillment.adapters.sql.destroy import Bounds
from services.fulfillment.adapters.sql.keys import in_chunks
from services.fulfillment.adapters.sql.nested.inside import Inside
from services.fulfillment.adapters.sql.tables import MappedTable, Tables
from services.fulfillment.datamap.additions import Flag
from services.fulfillment.datamap.flags import flag_of
from services.fulfillment.ports import DatasetCount, Frozen


def unset(table: MappedTable, flag: Flag) -> Condition:
    spot = table.spot(flag.field)
    return spot.is_not(flag.value) if isinstance(spot, Inside) else spot.is_distinct_from(flag.value)


def setting(table: MappedTable, flag: Flag) -> dict[str, Any]:
    """What the table's own column becomes."""
    spot = table.spot(flag.field)
    return {spot.column.name: spot.put(flag.value)} if isinstance(spot, Inside) else {spot.name: flag.value}


async def set_flags(
    connection: AsyncConnection, tables: Tables, bounds: Bounds, right: str, frozen: Frozen
) -> tuple[DatasetCount, ...]:
    """Set them; a row that others share is flagged too, for that takes nothing from them."""
    counts = []
    for name in sorted({*frozen.rows, *frozen.shared}):
        table = tables[name]
        if flag := flag_of(table.collection, right):
            counts.append(
                DatasetCount(name, corrected=await _set(connection, tables, bounds, (table, flag), frozen))
            )
    return tuple(counts)


async def _set(
    connection: AsyncConnection,
    tables: Tables,
    bounds: Bounds,
    where: tuple[MappedTable, Flag],
    frozen: Frozen,
) -> int:
    table, flag = where
    changed = 0
    keys = [*frozen.rows.get(table.name, ()), *frozen.shared.get(table.name, ())]
    for chunk in in_chunks(keys, bounds.chunk_rows):
        bound = these(table, chunk, tables.dialect), until(table, bounds.cut_off, tables.dialect)
        statement = update(table.clause).where(*bound, unset(table, flag)).values(setting(table, flag))
        changed += (await connection.execute(statement)).rowcount
    return changed
