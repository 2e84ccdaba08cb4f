"""Look into columns of JSON at the check: names inside them that look personal and that the map does not open.

Some rows are read for the names in them; what stands under a name is dropped, and never part of a report.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.nested.inside import WAYS, dialect_of
from services.fulfillment.adapters.sql.nested.way import Way
from services.fulfillment.adapters.sql.tables import Reflection
from services.fulfillment.datamap.model import DataMap, MapCollection
from services.fulfillment.ports import Drift
from services.fulfillment.rowwise.completeness import personal_names
from services.fulfillment.rowwise.documents import columns_in

SAMPLE: Final = 200


@dataclass(slots=True)
class Seen:
    """What was seen inside: what is wrong with the map, and what a person should know."""

    drift: list[Drift] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


async def look_inside(connection: AsyncConnection, datamap: DataMap, tables: Reflection) -> Seen:
    """Sample every column of JSON, mapped or not."""
    seen = Seen()
    for table, name, opened in _columns(datamap, tables, dialect_of(connection)):
        source = sa.table(table, sa.column(name), schema=datamap.schema)
        try:
            async with connection.begin_nested():
                documents = await _sampled(connection, source, WAYS[dialect_of(connection)], opened=opened)
        except DBAPIError:
            seen.notes.append(f"{table}.{name}: cannot be read, so nobody knows what is inside")
            continue
        if documents is None:
            seen.drift.append(Drift(table, name, "no_json"))
        elif documents:
            paths = {path for each in documents for path in columns_in({name: each})} - {name}
            known = _known(datamap.collections.get(table), name)
            seen.drift += [Drift(table, each, "unmapped") for each in personal_names(paths, known)]
            seen.notes += _never_there(datamap.collections.get(table), name, paths)
    return seen


async def documents_in(
    connection: AsyncConnection, tables: Reflection, schema: str | None
) -> dict[tuple[str, str], list[Any]]:
    """Some rows' documents of every column of JSON that may be read."""
    found: dict[tuple[str, str], list[Any]] = {}
    for table, name, _ in _columns(DataMap("", {}), tables, dialect_of(connection)):
        source = sa.table(table, sa.column(name), schema=schema)
        with suppress(DBAPIError):
            async with connection.begin_nested():
                way = WAYS[dialect_of(connection)]
                found[table, name] = await _sampled(connection, source, way, opened=False) or []
    return found


def problems_of_nested(datamap: DataMap) -> Iterator[str]:
    """What no value inside a column can be: the key and the time by which statements are bound."""
    for collection in datamap.collections.values():
        created = collection.created_at.field if collection.created_at else None
        for each in (one for one in collection.fields.values() if one.steps):
            place = f"dataset: collections.{collection.name}.fields.{each.name}"
            if each.primary_key:
                yield f"{place}: is nested, and cannot be a primary_key: name a column of the table"
            if each.name == created:
                yield f"{place}: is nested, and cannot be created_at: name a column of the table, or a generated one"


def _columns(datamap: DataMap, tables: Reflection, dialect: str) -> Iterator[tuple[str, str, bool]]:
    """The columns that can be looked into, and whether the map opens them."""
    for table, columns in sorted(tables.columns.items()):
        collection = datamap.collections.get(table)
        fields = collection.fields.values() if collection else ()
        opened = {each.outermost for each in fields if each.steps}
        for name, kind in columns.items():
            of_json = isinstance(kind, sa.JSON) or name in opened
            if dialect in WAYS and of_json and WAYS[dialect].opens(kind):
                yield table, name, name in opened


async def _sampled(
    connection: AsyncConnection, source: sa.TableClause, way: Way, *, opened: bool
) -> list[Any] | None:
    """Some rows' documents; None where the map opens a column that is not JSON in every row."""
    [column] = source.c
    bad = sa.select(sa.literal(1)).select_from(source).where(way.unreadable(column)).limit(1)
    if opened and (await connection.execute(bad)).first() is not None:
        return None
    document = sa.type_coerce(column, sa.JSON())
    query = sa.select(document).where(column.is_not(None), ~way.unreadable(column)).limit(SAMPLE)
    return list((await connection.execute(query)).scalars())


def _known(collection: MapCollection | None, column: str) -> set[str]:
    """What the map says of a column's inside; of one that it names as a whole only that a person has looked."""
    fields = collection.fields if collection else {}
    whole = fields.get(column)
    if whole is not None:
        return {column} if whole.cleared or whole.withheld else set()
    return {name for name, each in fields.items() if each.outermost == column}


def _never_there(collection: MapCollection | None, column: str, paths: set[str]) -> Sequence[str]:
    fields = collection.fields.values() if collection else ()
    nested = [each.name for each in fields if each.steps and each.outermost == column]
    return [
        f"{collection.name}.{name}: none of the rows looked at has it"
        for name in nested
        if collection and not any(path == name or path.startswith(f"{name}.") for path in paths)
    ]
