"""Before very many rows go in parts: whether a row that stays refers to one that goes, for then none may go.

An act of one transaction finds it out as it goes, and is rolled back. What is committed in parts is not, so it is all
read first, in one snapshot. What comes to refer to them later is found by each part, and is a person's.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.conditions import among, fitted, joined, until
from services.fulfillment.adapters.sql.destroy import Bounds, is_cut
from services.fulfillment.adapters.sql.failures import RefusedError
from services.fulfillment.adapters.sql.keys import encode, in_chunks
from services.fulfillment.adapters.sql.questions import MOST_AT_ONCE
from services.fulfillment.adapters.sql.tables import Link, MappedTable, Tables
from services.fulfillment.keysets import KeySet
from services.fulfillment.ports import Frozen, Key
from services.fulfillment.progress import got_further


async def refuse_orphans(
    connection: AsyncConnection, tables: Tables, frozen: Frozen, bounds: Bounds, order: Sequence[str]
) -> None:
    """Look at every row that refers to one that is about to go.

    Raises:
        RefusedError: one of them stays, or is newer than the cut-off.
    """
    for link in tables.links:
        parent, keys = tables[link.parent], frozen.rows.get(link.parent, ())
        if parent.collection.treatment != "erase" or not keys or is_cut(link, order):
            continue
        child = tables[link.child]
        going = await _going(child, frozen) if _lets_go(child, link) else KeySet()
        for chunk in in_chunks(keys, bounds.chunk_rows):
            query = _referring(tables, link, chunk, bounds)
            await _look(connection, query, going, link)


async def _going(child: MappedTable, frozen: Frozen) -> KeySet:
    keys, found = frozen.rows.get(child.name, ()), KeySet()
    for chunk in in_chunks(keys, MOST_AT_ONCE):
        found.update(chunk)
        await got_further()
    return found


def _lets_go(child: MappedTable, link: Link) -> bool:
    """Its rows go too, or lose what refers."""
    loses = {field.name for field in child.collection.deidentified}
    return child.collection.treatment == "erase" or all(own in loses for own, _ in link.pairs)


def _referring(
    tables: Tables, link: Link, keys: Sequence[Key], bounds: Bounds
) -> sa.Select[tuple[object, ...]]:
    """The keys of the rows that refer to these, and whether they are old enough to be ours."""
    child, parent = tables[link.child], tables[link.parent]
    above = parent.clause.alias("above")
    same = [joined(child.spot(own), parent.spot(other, above), tables.dialect) for own, other in link.pairs]
    own_key = [above.c[column.name] for column in parent.key]
    bound = among(own_key, fitted(parent, keys), tables.dialect)
    old = until(child, bounds.cut_off, tables.dialect)
    held = sa.exists().select_from(above).where(*same, bound)
    return sa.select(*child.key, sa.case((old, 1), else_=0)).where(held)


async def _look(
    connection: AsyncConnection, query: sa.Select[tuple[object, ...]], going: KeySet, link: Link
) -> None:
    async with connection.stream(query) as result:
        async for page in result.partitions(MOST_AT_ONCE):
            for row in page:
                if not row[-1] or tuple(map(encode, row[:-1])) not in going:
                    raise RefusedError(f"rows of {link.parent} are referred to by other rows of {link.child}")
            await got_further()
