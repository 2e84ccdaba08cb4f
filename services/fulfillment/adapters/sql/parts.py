"""An act on more rows than one transaction should hold: so many a transaction, children before parents.

Each part is bound to frozen keys as the whole is, so what was done is found done by whoever comes back to it. A hold or
a withdrawal is heard between two attempts, which are short. Rows of tables that refer to each other in a circle, or to
their own table, can only go together.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.database import Database
from services.fulfillment.adapters.sql.destroy import Bounds, Deletion, is_cut
from services.fulfillment.adapters.sql.failures import UnboundedError
from services.fulfillment.adapters.sql.flags import set_flags
from services.fulfillment.adapters.sql.keys import in_chunks
from services.fulfillment.adapters.sql.orphans import refuse_orphans
from services.fulfillment.adapters.sql.tables import Tables
from services.fulfillment.datamap.graph import deletion_order
from services.fulfillment.ports import RIGHTS_OF_OTHERS, DatasetCount, Frozen, Key, Retained
from services.fulfillment.progress import got_further
from services.fulfillment.rowwise import changing
from services.fulfillment.rowwise.changing import NotAll

MOST_TOGETHER: Final = 100_000
"""Rows that can only go together, in one transaction; more is for a person."""

Counts = tuple[DatasetCount, ...]


class Parts:
    """One attempt at it."""

    def __init__(self, database: Database, idempotency_key: str, bounds: Bounds, most: int) -> None:
        self._database = database
        self._key = idempotency_key
        self._bounds = bounds
        self._most = most
        self._until: float | None = None
        self._order: Sequence[str] = ()
        self._whole: Sequence[Sequence[str]] = ()
        self.begun = False
        """Something may have been committed."""

    async def run(self, right: str, frozen: Frozen) -> Counts:
        """Do what is left of it.

        Raises:
            NotAll: there are more rows than one attempt has time for.
            UnboundedError, RefusedError: a person has to look; nothing was begun, unless `begun` says so.
        """
        names = sorted({*frozen.rows, *frozen.shared})
        if right != "delete":
            return _summed([await self._flags(right, frozen, name) for name in names])
        groups = await self._look(frozen, names)
        return tuple([count for group in groups for count in await self._group(frozen, group)])

    async def _look(self, frozen: Frozen, names: Sequence[str]) -> list[list[str]]:
        """What can only go together, children first; nothing that stays refers to any of it."""
        async with self._database.reading() as (connection, tables):
            self._order = deletion_order(names, tables.order_links)
            groups = _groups(tables, self._order)
            self._whole = [group for group in groups if len(group) > 1 or _refers_to_itself(tables, group[0])]
            for group in self._whole:
                if sum(len(frozen.rows.get(name, ())) for name in group) > MOST_TOGETHER:
                    raise UnboundedError(_too_many_together(group[0]))
            await refuse_orphans(connection, tables, frozen, self._bounds, self._order)
        return groups

    async def _group(self, frozen: Frozen, group: Sequence[str]) -> Counts:
        if group not in self._whole:
            return _summed([await self._table(frozen, group[0])])
        self._begin()
        rows, shared = ({name: each.get(name, ()) for name in group} for each in (frozen.rows, frozen.shared))
        async with self._database.writing(self._key) as (connection, tables):
            counts = await Deletion(connection, tables, self._bounds).run(Frozen(rows, shared))
            await self._commit(connection, counts)
        return counts

    async def _table(self, frozen: Frozen, name: str) -> list[DatasetCount]:
        shared = len(frozen.shared.get(name, ()))
        kept = [DatasetCount(name, retained=(Retained(RIGHTS_OF_OTHERS, shared),))] if shared else []
        return kept + [
            count
            for keys in in_chunks(frozen.rows.get(name, ()), self._most)
            for count in [await self._part(name, keys)]
            if count is not None
        ]

    async def _part(self, name: str, keys: Sequence[Key]) -> DatasetCount | None:
        self._begin()
        async with self._database.writing(self._key) as (connection, tables):
            count = await Deletion(connection, tables, self._bounds).part(name, keys, self._order)
            await self._commit(connection, [count] if count else [])
        return count

    async def _flags(self, right: str, frozen: Frozen, name: str) -> list[DatasetCount]:
        found: list[DatasetCount] = []
        for every in (frozen.rows.get(name, ()), frozen.shared.get(name, ())):
            for keys in in_chunks(every, self._most):
                self._begin()
                async with self._database.writing(self._key) as (connection, tables):
                    counts = await set_flags(connection, tables, self._bounds, right, Frozen({name: keys}))
                    await self._commit(connection, counts)
                found += counts
        return found

    def _begin(self) -> None:
        if self._until is not None and asyncio.get_running_loop().time() >= self._until:
            raise NotAll

    async def _commit(self, connection: AsyncConnection, counts: Sequence[DatasetCount]) -> None:
        """The time of an attempt begins with the first part that changes anything: what is done is passed quickly."""
        # Whether a COMMIT whose answer is lost was one is not known.
        self.begun = True
        await connection.commit()
        if self._until is None and any(one.erased or one.deidentified or one.corrected for one in counts):
            self._until = asyncio.get_running_loop().time() + changing.ACT_SECONDS
        await got_further()


def _groups(tables: Tables, order: Sequence[str]) -> list[list[str]]:
    """The tables in their order; those between the two ends of a cut circle go together."""
    groups: list[list[str]] = []
    for name in order:
        places = [
            order.index(link.parent) for link in tables.links if link.child == name and is_cut(link, order)
        ]
        groups.append([name])
        while places and order.index(groups[-1][0]) > min(places):
            last = groups.pop()
            groups[-1] += last
    return groups


def _refers_to_itself(tables: Tables, name: str) -> bool:
    return any(link.child == link.parent == name for link in tables.links)


def _summed(parts: Sequence[Sequence[DatasetCount]]) -> Counts:
    """One count for each table."""
    return tuple(_sum(each) for each in parts if each)


def _sum(counts: Sequence[DatasetCount]) -> DatasetCount:
    retained: dict[str, int] = {}
    for kept in (kept for count in counts for kept in count.retained):
        retained[kept.exemption] = retained.get(kept.exemption, 0) + kept.count
    return DatasetCount(
        counts[0].dataset,
        erased=sum(count.erased for count in counts),
        deidentified=sum(count.deidentified for count in counts),
        corrected=sum(count.corrected for count in counts),
        retained=tuple(Retained(exemption, number) for exemption, number in retained.items()),
    )


def _too_many_together(name: str) -> str:
    return (
        f"more than {MOST_TOGETHER} rows of {name} can only go together, for they refer to each other: delete them by"
        " hand, and end the task with habeas decide complete"
    )
