"""Find: walk the map from a person's seeds to the keys of every row that is theirs, and to no others.

The walk repeats until nothing new turns up, and each edge is asked about each value once, so circles and self
references end. A parent row is the person's only if no row of anybody else refers to it.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import product
from typing import Any

import sqlalchemy as sa

from services.fulfillment.adapters.sql.conditions import (
    Condition,
    holding,
    joined,
    matches,
    owned,
    spellings,
    these,
    until,
)
from services.fulfillment.adapters.sql.failures import UnboundedError
from services.fulfillment.adapters.sql.keys import encode, fit, in_chunks
from services.fulfillment.adapters.sql.nested.inside import Inside, spelt
from services.fulfillment.adapters.sql.questions import Compared, Question, Row, Values, Walking
from services.fulfillment.adapters.sql.tables import MappedTable, Spot, Tables
from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.graph import Edge, Seed, WalkPlan
from services.fulfillment.datamap.systems import Limits
from services.fulfillment.keysets import KeySet
from services.fulfillment.ports import Frozen, Key, Subject
from services.fulfillment.too_much import matches_of_one, rows_of_one


@dataclass(frozen=True, slots=True)
class Scope:
    """What bounds a walk: the plan, the cut-off and how much is too much."""

    plan: WalkPlan
    cut_off: datetime
    limits: Limits


class Walk:
    """One search for one person, in one snapshot. It asks nothing itself: whoever runs it gives the answers."""

    def __init__(self, tables: Tables, scope: Scope) -> None:
        self._tables = tables
        self._scope = scope
        self._owned: dict[str, KeySet] = defaultdict(KeySet)
        self._above: dict[str, dict[Key, Row]] = defaultdict(dict)
        self._asked: dict[Edge, set[Values]] = defaultdict(set)
        self._queue: deque[tuple[Edge, list[Values]]] = deque()

    def run(self, subject: Subject) -> Walking:
        """The questions, one after the other, and in the end what was found."""
        for seed in self._scope.plan.seeds:
            yield from self._look_up(seed, subject.seeds[seed.kind])
        yield from self._follow()
        while (yield from self._claim_unshared()):
            yield from self._follow()
        shared = {
            name: tuple(key for key in rows if key not in self._owned[name])
            for name, rows in self._above.items()
        }
        return Frozen(
            rows={name: keys.kept() for name, keys in self._owned.items() if keys},
            shared={name: keys for name, keys in shared.items() if keys},
        )

    def _look_up(self, seed: Seed, value: str) -> Iterator[Question]:
        table = self._tables[seed.place.collection]
        most = table.collection.max_matches or self._scope.limits.max_matches
        spot = table.spot(seed.place.field)
        found: list[Row] = []

        def where() -> Condition:
            return matches(spot, value, seed.match, self._tables.dialect)

        compared = _compared([spot], seed.match, lambda column: spellings(column, value, seed.match))
        yield self._question(table, where, found.extend, most + 1, compared)
        if len(found) > most:
            raise UnboundedError(matches_of_one(most, f"rows of {table.name}", seed.kind))
        self._admit(table, found)

    def _follow(self) -> Iterator[Question]:
        while self._queue:
            edge, values = self._queue.popleft()
            target = self._tables[edge.target]
            spots = [target.spot(name) for _, name in edge.pairs]
            take = partial(self._set_aside if edge.upward else self._admit, target)
            # Nobody reads a million rows to say that they are too many.
            enough = self._scope.limits.max_rows + 1
            for chunk in in_chunks(values, self._scope.limits.chunk_rows):
                where = partial(holding, spots, chunk, self._tables.dialect)
                yield self._question(target, where, take, enough, _compared(spots, "exact", chunk))

    def _question(
        self,
        table: MappedTable,
        where: Callable[[], Condition],
        take: Callable[[Sequence[Row]], None],
        enough: int,
        compared: Compared | None,
    ) -> Question:
        def bounds() -> Sequence[Condition]:
            dialect = self._tables.dialect
            return where(), until(table, self._scope.cut_off, dialect), owned(table, dialect)

        return Question(table, self._names(table), bounds, take, enough, compared)

    def _names(self, table: MappedTable) -> tuple[str, ...]:
        leaving = [name for edge in self._leaving(table) for name, _ in edge.pairs]
        return tuple(dict.fromkeys([*(column.name for column in table.key), *leaving]))

    def _admit(self, table: MappedTable, rows: Sequence[Row]) -> None:
        fresh = {key: row for row in rows if (key := _key(table, row)) not in self._owned[table.name]}
        self._owned[table.name].update(fresh)
        if sum(map(len, self._owned.values())) > self._scope.limits.max_rows:
            raise UnboundedError(rows_of_one(self._scope.limits.max_rows))
        for edge in self._leaving(table):
            if values := self._unasked(edge, fresh.values()):
                self._queue.append((edge, values))

    def _set_aside(self, table: MappedTable, rows: Sequence[Row]) -> None:
        """Parents wait until it is known whether others share them; impersonal ones are nobody's."""
        if table.collection.treatment != "keep":
            self._above[table.name].update({_key(table, row): row for row in rows})

    def _claim_unshared(self) -> Generator[Question, None, bool]:
        """Take over the waiting parents that only rows found so far refer to; say whether there were any."""
        claimed = False
        for name, waiting in list(self._above.items()):
            keys = [key for key in waiting if key not in self._owned[name]]
            for chunk in in_chunks(keys, self._scope.limits.chunk_rows):
                shared = yield from self._shared(self._tables[name], chunk)
                mine = [waiting[key] for key in chunk if key not in shared]
                self._admit(self._tables[name], mine)
                claimed = claimed or bool(mine)
        return claimed

    def _shared(self, parent: MappedTable, keys: Sequence[Key]) -> Generator[Question, None, set[Key]]:
        found: list[Row] = []

        def where() -> Sequence[Condition]:
            foreign = [
                sa.exists().where(*self._refers(parent, edge))
                for edge in self._scope.plan.edges
                if edge.upward and edge.target == parent.name
            ]
            return these(parent, keys, self._tables.dialect), sa.or_(*foreign)

        names = tuple(column.name for column in parent.key)
        yield Question(parent, names, where, found.extend, len(keys) + 1)
        return {_key(parent, row) for row in found}

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


def _compared(
    spots: Sequence[Spot], match: Match, values: Sequence[Values] | Callable[[Any], Sequence[Values]]
) -> Compared | None:
    """Only whole columns are compared with many people's values at once."""
    columns = tuple(spot for spot in spots if not isinstance(spot, Inside))
    if len(columns) < len(spots):
        return None
    return Compared(columns, match, values(columns[0]) if callable(values) else values)
