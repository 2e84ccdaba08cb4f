"""Know: the rows of the frozen keys; values that 11 CCR 7024(d) forbids to show are only counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.conditions import Condition, since, these, until
from services.fulfillment.adapters.sql.keys import in_chunks, plain
from services.fulfillment.adapters.sql.nested.inside import Inside
from services.fulfillment.adapters.sql.tables import MappedTable, Tables
from services.fulfillment.datamap.model import MapField
from services.fulfillment.ports import ExportedDataset, Frozen, Key, TakesRows, Withheld


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back and up to when rows are shown, how many are read at a time, and who takes them."""

    cut_off: datetime
    since: datetime | None
    chunk_rows: int
    taking: TakesRows | None = None


async def export_rows(
    connection: AsyncConnection, tables: Tables, frozen: Frozen, reach: Reach
) -> tuple[ExportedDataset, ...]:
    """Read what is the person's alone; a row that others share may be theirs and is not shown."""
    personal = [tables[name] for name in sorted(frozen.rows) if tables[name].collection.treatment != "keep"]
    return tuple(
        [
            await _dataset(connection, table, frozen.rows[table.name], (reach, tables.dialect))
            for table in personal
        ]
    )


async def _dataset(
    connection: AsyncConnection, table: MappedTable, keys: Sequence[Key], how: tuple[Reach, str]
) -> ExportedDataset:
    reach, _ = how
    rows: list[Mapping[str, Any]] = []
    taken = 0
    held = dict.fromkeys(hidden_of(table), 0)
    for chunk in in_chunks(keys, reach.chunk_rows):
        where = _within(table, chunk, how)
        shown = await _shown(connection, table, where)
        if reach.taking is None:
            rows += shown
        else:
            await reach.taking.take(table.name, shown)
            taken += len(shown)
        for field, count in (await _hidden(connection, table, where, list(held))).items():
            held[field] += count
    return described(table, rows, held, taken)


def described(
    table: MappedTable, rows: Sequence[Mapping[str, Any]], held: Mapping[MapField, int], taken: int = 0
) -> ExportedDataset:
    """What was read of one table."""
    return ExportedDataset(
        dataset=table.name,
        rows=tuple(rows),
        categories={f.name: f.category for f in table.collection.fields.values() if f.category},
        withheld=tuple(Withheld(f.name, f.withheld or "", count) for f, count in held.items() if count),
        taken=taken,
    )


def _within(table: MappedTable, keys: Sequence[Key], how: tuple[Reach, str]) -> list[Condition]:
    reach, dialect = how
    bound = [these(table, keys, dialect), until(table, reach.cut_off, dialect)]
    return bound if reach.since is None else [*bound, since(table, reach.since, dialect)]


async def _shown(
    connection: AsyncConnection, table: MappedTable, where: Sequence[Condition]
) -> list[Mapping[str, Any]]:
    query = sa.select(*shown_of(table)).where(*where).order_by(*table.key)
    result = (await connection.execute(query)).mappings()
    return [{name: plain(value) for name, value in row.items()} for row in result]


async def _hidden(
    connection: AsyncConnection, table: MappedTable, where: Sequence[Condition], fields: Sequence[MapField]
) -> Mapping[MapField, int]:
    if not fields:
        return {}
    query = sa.select(*counts_of(table, fields)).where(*where)
    return dict(zip(fields, (await connection.execute(query)).one(), strict=True))


def shown_of(table: MappedTable) -> list[sa.ColumnElement[Any]]:
    """Withheld columns are never selected, so they cannot leak from a row in memory either."""
    return [table.shown(f.name) for f in table.collection.fields.values() if not f.withheld]


def hidden_of(table: MappedTable) -> list[MapField]:
    """The fields that are only counted."""
    return [field for field in table.collection.fields.values() if field.withheld]


def counts_of(table: MappedTable, fields: Sequence[MapField]) -> list[sa.ColumnElement[int]]:
    """In how many rows each of them holds something."""
    spots = [table.spot(field.name) for field in fields]
    return [sa.func.count(spot.there if isinstance(spot, Inside) else spot) for spot in spots]
