"""Delete: one transaction, children before parents, every statement bound to frozen keys and to the cut-off.

What a stated exemption covers stays and is counted under it; what is de-identified stays without what pointed
to the person. Doing it again finds nothing left to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.collations import COLLATING
from services.fulfillment.adapters.sql.conditions import Condition, among, fitted, joined, these, until
from services.fulfillment.adapters.sql.failures import RefusedError
from services.fulfillment.adapters.sql.keys import encode, in_chunks
from services.fulfillment.adapters.sql.replacing import (
    changes_of,
    identifying,
    own_to_a_row,
    read_for,
    replacements,
)
from services.fulfillment.adapters.sql.tables import Link, MappedTable, Tables
from services.fulfillment.datamap.graph import deletion_order
from services.fulfillment.ports import RIGHTS_OF_OTHERS, DatasetCount, Frozen, Key, Retained


@dataclass(frozen=True, slots=True)
class Bounds:
    """What every statement of an act is bound by."""

    cut_off: datetime
    chunk_rows: int
    hash_key: bytes


class Deletion:
    """One deletion inside one transaction; the caller commits."""

    def __init__(self, connection: AsyncConnection, tables: Tables, bounds: Bounds) -> None:
        self._connection = connection
        self._tables = tables
        self._bounds = bounds

    async def run(self, frozen: Frozen) -> tuple[DatasetCount, ...]:
        names = sorted({*frozen.rows, *frozen.shared})
        order = deletion_order(names, self._tables.order_links)
        counts = [await self._treat(name, frozen, order) for name in order]
        return tuple(count for count in counts if count)

    async def part(self, name: str, keys: Sequence[Key], order: Sequence[str]) -> DatasetCount | None:
        """Some rows of one table, whose rows refer to none of their own."""
        return await self._treat(name, Frozen({name: keys}), order)

    async def _cut(self, parent: MappedTable, frozen: Frozen, order: Sequence[str]) -> None:
        """Where tables point at each other in a circle, their rows let go of those that are erased first."""
        for link in self._tables.links:
            if link.parent != parent.name or not (is_cut(link, order) or self._is_strict(link)):
                continue
            child, own = self._tables[link.child], [name for name, _ in link.pairs]
            loose = child.collection.treatment == "erase" and all(
                (child.name, name) in self._tables.nullable for name in own
            )
            for chunk in in_chunks(frozen.rows.get(child.name, ()) if loose else (), self._bounds.chunk_rows):
                where = self._bound(child, chunk)
                change = sa.update(child.clause).where(*where).values(dict.fromkeys(own))
                await self._connection.execute(change)

    def _is_strict(self, link: Link) -> bool:
        """These servers check each row as it goes, not the statement: a table's own rows must let go before."""
        return link.child == link.parent and self._tables.dialect in COLLATING

    async def _treat(self, name: str, frozen: Frozen, order: Sequence[str]) -> DatasetCount | None:
        table = self._tables[name]
        keys = frozen.rows.get(name, ())
        retained = await self._retained(table, keys, len(frozen.shared.get(name, ())))
        match table.collection.treatment:
            case "erase":
                await self._cut(table, frozen, order)
                return DatasetCount(name, erased=await self._erase(table, keys, order), retained=retained)
            case "deidentify":
                return DatasetCount(name, deidentified=await self.deidentify(table, keys), retained=retained)
            case "retain":
                return DatasetCount(name, retained=retained)
        return None

    async def _retained(self, table: MappedTable, keys: Sequence[Key], shared: int) -> tuple[Retained, ...]:
        kept = [Retained(RIGHTS_OF_OTHERS, shared)] if shared else []
        if table.collection.exemptions and keys:
            held = await self._count(table, keys)
            kept += [Retained(exemption, held) for exemption in table.collection.exemptions if held]
        return tuple(kept)

    async def _count(self, table: MappedTable, keys: Sequence[Key]) -> int:
        held = 0
        for chunk in in_chunks(keys, self._bounds.chunk_rows):
            query = sa.select(sa.func.count()).select_from(table.clause).where(*self._bound(table, chunk))
            held += (await self._connection.execute(query)).scalar_one()
        return held

    async def _erase(self, table: MappedTable, keys: Sequence[Key], order: Sequence[str]) -> int:
        erased = 0
        for chunk in in_chunks(keys, self._chunk(table, keys)):
            for link in self._tables.links:
                if link.parent == table.name:
                    await self._refuse_orphans(table, chunk, link, order)
            result = await self._connection.execute(sa.delete(table.clause).where(*self._bound(table, chunk)))
            erased += result.rowcount
        return erased

    async def _refuse_orphans(
        self, parent: MappedTable, keys: Sequence[Key], link: Link, order: Sequence[str]
    ) -> None:
        """A row that newer or foreign rows still refer to is not ours to erase, nor would a cascade be."""
        if is_cut(link, order):
            return  # the circle was cut here: the child's own rows go later in this transaction
        child = self._tables[link.child]
        below = child.clause.alias("below")
        pointing = [
            joined(child.spot(own, below), parent.spot(other), self._tables.dialect)
            for own, other in link.pairs
        ]
        if child.name == parent.name:
            own_key = [below.c[column.name] for column in parent.key]
            pointing.append(~among(own_key, fitted(parent, keys), self._tables.dialect))
        held = sa.exists().select_from(below).where(*pointing)
        query = sa.select(sa.func.count()).select_from(parent.clause).where(*self._bound(parent, keys), held)
        if count := (await self._connection.execute(query)).scalar_one():
            raise RefusedError(f"{count} rows of {parent.name} are referred to by other rows of {child.name}")

    async def deidentify(self, table: MappedTable, keys: Sequence[Key]) -> int:
        """Replace what the map names in these rows; how many it changed."""
        changed = 0
        single = own_to_a_row(table)
        for chunk in in_chunks(keys, self._bounds.chunk_rows):
            if single:
                changed += await self._row_by_row(table, chunk)
            else:
                changed += await self._update(table, chunk)
        return changed

    async def _update(self, table: MappedTable, keys: Sequence[Key]) -> int:
        where = [*self._bound(table, keys), identifying(table)]
        statement = sa.update(table.clause).where(*where).values(replacements(table))
        return (await self._connection.execute(statement)).rowcount

    async def _row_by_row(self, table: MappedTable, keys: Sequence[Key]) -> int:
        """What depends on the value needs it, so these rows are read, locked, and written one by one."""
        where = [*self._bound(table, keys), identifying(table)]
        query = sa.select(*table.key, *read_for(table)).where(*where).with_for_update()
        changed = 0
        for row in (await self._connection.execute(query)).mappings().all():
            own = tuple(encode(row[column.name]) for column in table.key)
            counts = [
                (await self._connection.execute(change)).rowcount
                for values in changes_of(table, row, self._bounds.hash_key)
                for change in [sa.update(table.clause).where(*self._bound(table, [own])).values(values)]
            ]
            changed += max(counts, default=0)
        return changed

    def _bound(self, table: MappedTable, keys: Sequence[Key]) -> list[Condition]:
        dialect = self._tables.dialect
        return [these(table, keys, dialect), until(table, self._bounds.cut_off, dialect)]

    def _chunk(self, table: MappedTable, keys: Sequence[Key]) -> int:
        """Rows of one table that refer to each other go in one statement, which checks them together."""
        own = any(link.child == link.parent == table.name for link in self._tables.links)
        return max(1, len(keys)) if own else self._bounds.chunk_rows


def is_cut(link: Link, order: Sequence[str]) -> bool:
    """A circle of tables is cut here: the child's own rows go after those that they refer to."""
    both = link.child in order and link.parent in order
    return both and order.index(link.child) > order.index(link.parent)
