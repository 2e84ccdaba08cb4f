"""Find: walk the map from a person's seeds to the keys of every row that is theirs, one lookup after the other.

The rules are those of every adapter: each edge is asked about each value once, so circles end, and a parent row is
the person's only if no row of anybody else refers to it. Where the system cannot be asked who else refers to a
parent, the parent counts as shared.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any, TypeAlias

from services.fulfillment.datamap.graph import Edge, WalkPlan
from services.fulfillment.ports import Frozen, Key, Subject
from services.fulfillment.rowwise.reading import Table, Tables
from services.fulfillment.rowwise.rows import Row, RowFailure, same
from services.fulfillment.too_much import rows_of_one

Values: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What bounds a walk."""

    plan: WalkPlan
    cut_off: datetime
    max_rows: int


class Walk:
    """One search for one person."""

    def __init__(self, tables: Tables, scope: Scope) -> None:
        self._tables = tables
        self._scope = scope
        self._owned: dict[str, dict[Key, Row]] = defaultdict(dict)
        self._above: dict[str, dict[Key, Row]] = defaultdict(dict)
        self._asked: dict[Edge, set[Values]] = defaultdict(set)
        self._queue: deque[tuple[Edge, list[Values]]] = deque()

    async def run(self, subject: Subject) -> Frozen:
        """Find everything.

        Raises:
            RowFailure: the system could not be asked, or too much leads from one person.
        """
        for seed in self._scope.plan.seeds:
            table = self._tables[seed.place.collection]
            self._admit(table, await table.matching(seed.place.field, subject.seeds[seed.kind], seed.match))
        await self._follow()
        while await self._claim_unshared():
            await self._follow()
        shared = {name: tuple(set(rows) - set(self._owned[name])) for name, rows in self._above.items()}
        return Frozen(
            rows={name: tuple(rows) for name, rows in self._owned.items() if rows},
            shared={name: keys for name, keys in shared.items() if keys},
        )

    async def _follow(self) -> None:
        while self._queue:
            edge, values = self._queue.popleft()
            table = self._tables[edge.target]
            rows = await self._joined(table, [column for _, column in edge.pairs], values)
            if edge.upward:
                self._set_aside(table, rows)
            else:
                self._admit(table, rows)

    async def _joined(self, table: Table, columns: Sequence[str], values: Sequence[Values]) -> list[Row]:
        """Asked for by the column that the system can be asked by; the others are compared here."""
        by = next((column for column in columns if table.found_by(column)), columns[0])
        position = list(columns).index(by)
        asked = list(dict.fromkeys(each[position] for each in values))
        rows = await table.having(by, asked, most=self._scope.max_rows)
        return [row for row in rows if any(_equal(row, columns, each) for each in values)]

    def _bounded(self, table: Table, rows: Iterable[Row]) -> list[Row]:
        return [row for row in rows if table.shape.until(row, self._scope.cut_off) and table.shape.owned(row)]

    def _admit(self, table: Table, rows: Iterable[Row]) -> None:
        keyed = {table.shape.key_of(row): row for row in self._bounded(table, rows)}
        fresh = {key: row for key, row in keyed.items() if key not in self._owned[table.name]}
        self._owned[table.name].update(fresh)
        if sum(map(len, self._owned.values())) > self._scope.max_rows:
            raise RowFailure("unbounded", rows_of_one(self._scope.max_rows))
        for edge in self._leaving(table):
            if values := self._unasked(edge, fresh.values()):
                self._queue.append((edge, values))

    def _set_aside(self, table: Table, rows: Iterable[Row]) -> None:
        """Parents wait until it is known whether others share them; impersonal ones are nobody's."""
        if table.collection.treatment != "keep":
            self._above[table.name].update(
                {table.shape.key_of(row): row for row in self._bounded(table, rows)}
            )

    async def _claim_unshared(self) -> bool:
        """Take over the waiting parents that only rows found so far refer to; say whether there were any."""
        claimed = False
        for name, waiting in list(self._above.items()):
            table = self._tables[name]
            for key, row in list(waiting.items()):
                if key not in self._owned[name] and not await self._is_shared(table, row):
                    self._admit(table, [row])
                    claimed = True
        return claimed

    async def _is_shared(self, parent: Table, row: Row) -> bool:
        upward = [edge for edge in self._scope.plan.edges if edge.upward and edge.target == parent.name]
        for edge in upward:
            child = self._tables[edge.source]
            columns = [below for below, _ in edge.pairs]
            if not any(child.found_by(column) for column in columns):
                return True
            referring = await self._joined(child, columns, _values(row, [above for _, above in edge.pairs]))
            if any(child.shape.key_of(each) not in self._owned[child.name] for each in referring):
                return True
        return False

    def _leaving(self, table: Table) -> list[Edge]:
        return [edge for edge in self._scope.plan.edges if edge.source == table.name]

    def _unasked(self, edge: Edge, rows: Iterable[Row]) -> list[Values]:
        columns = [own for own, _ in edge.pairs]
        found = {values for row in rows for values in _values(row, columns)}
        fresh = {values for values in found if None not in values and "" not in values} - self._asked[edge]
        self._asked[edge] |= fresh
        return sorted(fresh, key=str)


def _values(row: Row, columns: Sequence[str]) -> list[Values]:
    """What a row holds in these columns; an array's values are each taken by itself."""
    held = [row.get(column) for column in columns]
    return list(product(*(value if isinstance(value, list) else [value] for value in held)))


def _equal(row: Row, columns: Sequence[str], values: Values) -> bool:
    return all(same(row.get(column), value) for column, value in zip(columns, values, strict=True))
