"""Find: walk the map from a person's seeds to the keys of every row that is theirs, and to no others.

The walk repeats until nothing new turns up, and each edge is asked about each value once, so circles and self
references end. A parent row is the person's only if no row of anybody else refers to it.
"""

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.conditions import holding, joined, matches, owned, these, until
from services.fulfillment.adapters.sql.failures import UnboundedError
from services.fulfillment.adapters.sql.keys import encode, fit, in_chunks
from services.fulfillment.adapters.sql.nested.inside import Inside, spelt
from services.fulfillment.adapters.sql.tables import MappedTable, Spot, Tables
from services.fulfillment.datamap.graph import Edge, Seed, WalkPlan
from services.fulfillment.datamap.systems import Limits
from services.fulfillment.keysets import KeySet
from services.fulfillment.ports import Frozen, Key, Subject

MOST_AT_ONCE: Final = 10_000
"""Rows that one answer of the database may bring."""

Values: TypeAlias = tuple[Any, ...]
Row: TypeAlias = sa.RowMapping


@dataclass(frozen=True, slots=True)
class Scope:
    """What bounds a walk: the plan, the cut-off and how much is too much."""

    plan: WalkPlan
    cut_off: datetime
    limits: Limits


class Walk:
    """One search for one person, in one snapshot."""

    def __init__(self, connection: AsyncConnection, tables: Tables, scope: Scope) -> None:
        self._connection = connection
        self._tables = tables
        self._scope = scope
        self._owned: dict[str, KeySet] = defaultdict(KeySet)
        self._above: dict[str, dict[Key, Row]] = defaultdict(dict)
        self._asked: dict[Edge, set[Values]] = defaultdict(set)
        self._queue: deque[tuple[Edge, list[Values]]] = deque()

    async def run(self, subject: Subject) -> Frozen:
        for seed in self._scope.plan.seeds:
            await self._look_up(seed, subject.seeds[seed.kind])
        await self._follow()
        while await self._claim_unshared():
            await self._follow()
        shared = {
            name: tuple(key for key in rows if key not in self._owned[name])
            for name, rows in self._above.items()
        }
        return Frozen(
            rows={name: keys.kept() for name, keys in self._owned.items() if keys},
            shared={name: keys for name, keys in shared.items() if keys},
        )

    async def _look_up(self, seed: Seed, value: str) -> None:
        table = self._tables[seed.place.collection]
        most = table.collection.max_matches or self._scope.limits.max_matches
        condition = matches(table.spot(seed.place.field), value, seed.match, self._tables.dialect)
        rows = await self._rows(table, condition, limit=most + 1)
        if len(rows) > most:
            raise UnboundedError(f"more than {most} rows of {table.name} match one {seed.kind}")
        self._admit(table, rows)

    async def _follow(self) -> None:
        while self._queue:
            edge, values = self._queue.popleft()
            target = self._tables[edge.target]
            spots = [target.spot(name) for _, name in edge.pairs]
            for chunk in in_chunks(values, self._scope.limits.chunk_rows):
                async for rows in self._pages(target, holding(spots, chunk, self._tables.dialect)):
                    self._set_aside(target, rows) if edge.upward else self._admit(target, rows)

    async def _pages(
        self, table: MappedTable, condition: sa.ColumnElement[bool]
    ) -> AsyncIterator[Sequence[Row]]:
        """All rows; a few come with one answer, very many are read some at a time and never held together."""
        first = await self._rows(table, condition, limit=MOST_AT_ONCE + 1)
        if len(first) <= MOST_AT_ONCE:
            yield first
            return
        # Nobody reads a million rows to say that they are too many.
        query = self._query(table, condition).limit(self._scope.limits.max_rows + 1)
        async with self._connection.stream(query) as result:
            async for page in result.mappings().partitions(MOST_AT_ONCE):
                yield page

    async def _rows(self, table: MappedTable, condition: sa.ColumnElement[bool], limit: int) -> Sequence[Row]:
        found = await self._connection.execute(self._query(table, condition).limit(limit))
        rows: Sequence[Row] = found.mappings().all()
        return rows

    def _query(self, table: MappedTable, condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
        leaving = [name for edge in self._leaving(table) for name, _ in edge.pairs]
        names = dict.fromkeys([*(column.name for column in table.key), *leaving])
        bound = until(table, self._scope.cut_off, self._tables.dialect)
        return sa.select(*(table.shown(name) for name in names)).where(
            condition, bound, owned(table, self._tables.dialect)
        )

    def _admit(self, table: MappedTable, rows: Sequence[Row]) -> None:
        fresh = {key: row for row in rows if (key := _key(table, row)) not in self._owned[table.name]}
        self._owned[table.name].update(fresh)
        if sum(map(len, self._owned.values())) > self._scope.limits.max_rows:
            raise UnboundedError(f"more than {self._scope.limits.max_rows} rows lead from one person")
        for edge in self._leaving(table):
            if values := self._unasked(edge, fresh.values()):
                self._queue.append((edge, values))

    def _set_aside(self, table: MappedTable, rows: Sequence[Row]) -> None:
        """Parents wait until it is known whether others share them; impersonal ones are nobody's."""
        if table.collection.treatment != "keep":
            self._above[table.name].update({_key(table, row): row for row in rows})

    async def _claim_unshared(self) -> bool:
        """Take over the waiting parents that only rows found so far refer to; say whether there were any."""
        claimed = False
        for name, waiting in list(self._above.items()):
            keys = [key for key in waiting if key not in self._owned[name]]
            for chunk in in_chunks(keys, self._scope.limits.chunk_rows):
                shared = await self._shared(self._tables[name], chunk)
                mine = [waiting[key] for key in chunk if key not in shared]
                self._admit(self._tables[name], mine)
                claimed = claimed or bool(mine)
        return claimed

    async def _shared(self, parent: MappedTable, keys: Sequence[Key]) -> set[Key]:
        foreign = [
            sa.exists().where(*self._refers(parent, edge))
            for edge in self._scope.plan.edges
            if edge.upward and edge.target == parent.name
        ]
        query = sa.select(*parent.key).where(these(parent, keys, self._tables.dialect), sa.or_(*foreign))
        return {_key(parent, row) for row in (await self._connection.execute(query)).mappings()}

    def _refers(self, parent: MappedTable, edge: Edge) -> list[sa.ColumnElement[bool]]:
        """A row of the child table that is not among the person's points at the parent."""
        child = self._tables[edge.source]
        dialect = self._tables.dialect
        same = [joined(child.spot(below), parent.spot(above), dialect) for below, above in edge.pairs]
        return [*same, ~these(child, sorted(self._owned[child.name], key=str), dialect)]

    def _leaving(self, table: MappedTable) -> list[Edge]:
        return [edge for edge in self._scope.plan.edges if edge.source == table.name]

    def _unasked(self, edge: Edge, rows: Any) -> list[Values]:
        target = self._tables[edge.target]
        source = self._tables[edge.source]
        spots = [(own, source.spot(own), target.spot(other)) for own, other in edge.pairs]
        found = {values for row in rows for values in _values(row, spots)}
        fresh = {values for values in found if None not in values} - self._asked[edge]
        self._asked[edge] |= fresh
        return list(fresh)


def _values(row: Row, spots: Sequence[tuple[str, Spot, Spot]]) -> Iterable[Values]:
    """What a row leads by; most rows by one value of each column."""
    if any(isinstance(one, Inside) or isinstance(other, Inside) for _, one, other in spots):
        return product(*(_held(row[own], one, other) for own, one, other in spots))
    return (tuple(fit(row[own], other) for own, _, other in spots if not isinstance(other, Inside)),)


def _held(value: Any, source: Spot, target: Spot) -> list[Any]:
    """What a row holds in a field, as the field that it leads to is compared with it; of an array each by itself."""
    values = [value]
    if isinstance(source, Inside):
        values = [spelt(each) for each in (value if isinstance(value, list) else [value])]
    return [spelt(each) if isinstance(target, Inside) else fit(each, target) for each in values]


def _key(table: MappedTable, row: Row) -> Key:
    return tuple(encode(row[column.name]) for column in table.key)
