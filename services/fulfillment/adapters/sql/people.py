"""Who is in a database at all: each identifier that the map names, with its kind, a piece at a time."""

from collections.abc import AsyncIterator

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.collations import COLLATING, collated
from services.fulfillment.adapters.sql.conditions import owned
from services.fulfillment.adapters.sql.tables import Tables
from services.fulfillment.datamap.model import DataMap


async def people(
    connection: AsyncConnection, tables: Tables, datamap: DataMap, *, at_once: int
) -> AsyncIterator[tuple[str, str]]:
    """Kind and value of every row; a column that holds hashes of its own names nobody whom we could look up."""
    for kind, place in datamap.identities():
        table = tables[place.collection]
        if table.collection.fields[place.field].match == "sha256":
            continue
        column = table.column(place.field)
        # A collation would take two people for one.
        told = collated(column).collate("utf8mb4_bin") if tables.dialect in COLLATING else column
        query = sa.select(told).where(column.is_not(None), owned(table, tables.dialect)).distinct()
        async for (value,) in await connection.stream(query.execution_options(yield_per=at_once)):
            yield kind, str(value)
