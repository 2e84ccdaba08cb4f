"""Who is in a database at all: each identifier that the map names, with its kind, a piece at a time."""

from collections.abc import AsyncIterator
from typing import Any

import sqlalchemy as sa

from services.fulfillment.adapters.sql.collations import COLLATING, collated
from services.fulfillment.adapters.sql.conditions import owned
from services.fulfillment.adapters.sql.database import Database
from services.fulfillment.adapters.sql.failures import EXPECTED
from services.fulfillment.adapters.sql.nested.inside import Inside
from services.fulfillment.adapters.sql.tables import MappedTable
from services.fulfillment.datamap.model import DataMap
from services.fulfillment.ports import CannotListError


async def people(database: Database, datamap: DataMap, *, at_once: int) -> AsyncIterator[tuple[str, str]]:
    """Kind and value of every row; a column that holds hashes of its own names nobody whom we could look up.

    Raises:
        CannotListError: the database does not let itself be read to its end; nothing is done by reading.
    """
    try:
        async with database.reading() as (connection, tables):
            for kind, place in datamap.identities():
                table = tables[place.collection]
                if table.collection.fields[place.field].match == "sha256":
                    continue
                query = _everybody(table, place.field, tables.dialect).execution_options(yield_per=at_once)
                async for (value,) in await connection.stream(query):
                    yield kind, str(value)
    except EXPECTED as error:
        raise CannotListError((await database.failed(error)).reason) from None


def _everybody(table: MappedTable, field: str, dialect: str) -> sa.Select[Any]:
    spot = table.spot(field)
    if isinstance(spot, Inside):
        values = spot.way.values(spot.column, spot.names)
        column: sa.ColumnElement[Any] = values.text
        query = sa.select(_told(column, dialect)).select_from(table.clause, *values.rows)
    else:
        column = spot
        query = sa.select(_told(column, dialect))
    return query.where(column.is_not(None), owned(table, dialect)).distinct()


def _told(column: sa.ColumnElement[Any], dialect: str) -> sa.ColumnElement[Any]:
    """A collation would take two people for one."""
    return collated(column).collate("utf8mb4_bin") if dialect in COLLATING else column
