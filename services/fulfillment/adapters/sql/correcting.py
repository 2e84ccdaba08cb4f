"""Correct: the columns that the person's words name get the value that they should have, all of it in one transaction.

Each row is read under a lock, which keeps others from writing what would be overwritten (in a column of JSON nothing
else does), and changed only where it still holds what was read, for the lock keeps no trigger away. Then it is read
again before the COMMIT: a database may cut off, round or reject in silence, and triggers have a will of their own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.conditions import Condition, among, these, until
from services.fulfillment.adapters.sql.destroy import Bounds
from services.fulfillment.adapters.sql.failures import RefusedError
from services.fulfillment.adapters.sql.keys import encode, in_chunks
from services.fulfillment.adapters.sql.nested.inside import Inside, values_at
from services.fulfillment.adapters.sql.nested.way import Path
from services.fulfillment.adapters.sql.tables import MappedTable, Tables
from services.fulfillment.datamap.disputes import to_change
from services.fulfillment.ports import DatasetCount, Frozen, Gone, Key, Proof, StillPresent
from services.fulfillment.rowwise.correcting import corrected, in_dispute, still_wrong
from services.fulfillment.rowwise.rows import Row
from shared.privacy.claims import Correction

Change: TypeAlias = tuple[tuple[str, Path, Any, Any], ...]
"""Of each field: its name, its place in a column of JSON, what was read there, and what it becomes."""


class Correcting:
    """The corrections of one request in one transaction; the caller commits."""

    def __init__(self, connection: AsyncConnection, tables: Tables, bounds: Bounds) -> None:
        self._connection = connection
        self._tables = tables
        self._bounds = bounds

    async def run(self, frozen: Frozen) -> tuple[DatasetCount, ...]:
        """Change what is still wrong; a row that is another person's as well stays as it is.

        Raises:
            RowFailure, RefusedError: a person has to look; nothing may be committed.
        """
        counts = []
        wanted = to_change(self._tables.datamap, frozen.corrections)
        for name, keys in in_dispute(self._tables.datamap, frozen).items():
            self._refuse_links(self._tables[name], wanted[name])
            counts.append(corrected(name, frozen, await self._treat(self._tables[name], keys, wanted[name])))
        return tuple(counts)

    async def proof(self, frozen: Frozen) -> Proof:
        """What a person has to look at is never proved by itself.

        Raises:
            RowFailure: a row holds what nobody disputes.
        """
        keys = in_dispute(self._tables.datamap, frozen)
        if not keys:
            return StillPresent(frozen.count())
        wanted = to_change(self._tables.datamap, frozen.corrections)
        left = sum([await self._wrong(self._tables[name], each, wanted[name]) for name, each in keys.items()])
        return StillPresent(left) if left else Gone({name: len(each) for name, each in keys.items() if each})

    async def _wrong(self, table: MappedTable, keys: Sequence[Key], wanted: Mapping[str, Correction]) -> int:
        chunks = in_chunks(keys, self._bounds.chunk_rows)
        return sum([len(await self._changes(table, chunk, wanted, lock=False)) for chunk in chunks])

    async def _treat(self, table: MappedTable, keys: Sequence[Key], wanted: Mapping[str, Correction]) -> int:
        changed = 0
        for chunk in in_chunks(keys, self._bounds.chunk_rows):
            alike: dict[Change, list[Key]] = {}
            for key, change in (await self._changes(table, chunk, wanted, lock=True)).items():
                alike.setdefault(change, []).append(key)
            for change, own in alike.items():
                statement = putting_right(self._tables, table, self._where(table, own), change)
                changed += (await self._connection.execute(statement)).rowcount
            if alike and await self._changes(table, chunk, wanted, lock=False):
                raise RefusedError(f"{table.name} does not keep what should be there as it was said")
        return changed

    async def _changes(
        self, table: MappedTable, keys: Sequence[Key], wanted: Mapping[str, Correction], *, lock: bool
    ) -> dict[Key, Change]:
        """The rows of these that are still wrong, and what is."""
        query = reading(table, self._where(table, keys), wanted, lock=lock)
        found = {}
        for row in (await self._connection.execute(query)).mappings().all():
            places = {name: list(_values(table, name, row)) for name in wanted}
            right = still_wrong(table.collection, _row(places), wanted)
            change = tuple((name, *places[name][0], value) for name, value in right.items())
            if change:
                found[tuple(encode(row[column.name]) for column in table.key)] = change
        return found

    def _where(self, table: MappedTable, keys: Sequence[Key]) -> list[Condition]:
        dialect = self._tables.dialect
        return [these(table, keys, dialect), until(table, self._bounds.cut_off, dialect)]

    def _refuse_links(self, table: MappedTable, wanted: Mapping[str, Correction]) -> None:
        """What the database itself holds rows together by: with another value they would be somebody else's."""
        linked = {column.name for column in table.key}
        for link in self._tables.links:
            linked |= {own for own, _ in link.pairs if link.child == table.name}
            linked |= {other for _, other in link.pairs if link.parent == table.name}
        if named := sorted(linked & {*wanted}):
            raise RefusedError(f"{table.name}.{named[0]} leads from one row to another")


def reading(
    table: MappedTable, where: Sequence[Condition], wanted: Iterable[str], *, lock: bool
) -> sa.Select[Any]:
    """The rows' keys, and the columns in which the wrong values are."""
    spots = [table.spot(name) for name in sorted(wanted)]
    read = [spot.document if isinstance(spot, Inside) else spot for spot in spots]
    query = sa.select(*table.key, *{column.name: column for column in read}.values()).where(*where)
    return query.with_for_update() if lock else query


def putting_right(
    tables: Tables, table: MappedTable, where: Sequence[Condition], change: Change
) -> sa.Update:
    """The statement that puts it right, where the row still holds what was read."""
    guards: list[Condition] = []
    values: dict[str, Any] = {}
    inside: dict[str, list[tuple[Path, Any]]] = {}
    for name, path, was, right in change:
        spot = table.spot(name)
        if isinstance(spot, Inside):
            inside.setdefault(spot.column.name, []).append((path, right))
            values[spot.column.name] = spot.way.replaced_at(spot.column, inside[spot.column.name])
        else:
            guards.append(among([spot], [(was,)], tables.dialect))
            values[name] = right
    return sa.update(table.clause).where(*where, *guards).values(values)


def _values(table: MappedTable, name: str, row: sa.RowMapping) -> Iterator[tuple[Path, Any]]:
    """What stands in a field, each with its place."""
    spot = table.spot(name)
    if not isinstance(spot, Inside):
        yield (), row[spot.name]
    else:
        yield from values_at(row[spot.column.name], spot.names)


def _row(places: Mapping[str, Sequence[tuple[Path, Any]]]) -> Row:
    """One value of each field, or a list of several."""
    found = {name: [value for _, value in each] for name, each in places.items()}
    return {name: each[0] if len(each) == 1 else each or None for name, each in found.items()}
