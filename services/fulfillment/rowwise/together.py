"""Many people's walks side by side: where they ask the same collection, it is read once for all of them.

A walk that asks stands still until it has its answer. Who cannot be answered with the others, for too much was found,
is left out, and has to be searched alone, which says what is the matter.
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from services.fulfillment.bulk import Shown, Sought
from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.categories import categories_held
from services.fulfillment.datamap.graph import plan_walk
from services.fulfillment.datamap.model import DataMap, MapCollection
from services.fulfillment.ports import Export, Frozen, Key, Subject
from services.fulfillment.rowwise.exporting import exported
from services.fulfillment.rowwise.reading import Table
from services.fulfillment.rowwise.rows import Row, RowFailure, RowShape
from services.fulfillment.rowwise.walk import Scope, Walk
from services.fulfillment.rowwise.wanted import Asked, Wanted, equal, identity

Rows: TypeAlias = list[Row] | None
Held: TypeAlias = Mapping[str, Mapping[Key, Row]]
Look: TypeAlias = Callable[[Mapping[str, Sequence[Key]], datetime], Awaitable[Held]]
"""The rows of these keys that are there, and no newer."""


class ManyTable(Table, Protocol):
    """A collection that answers many questions by one reading."""

    @property
    def most(self) -> int:
        """How many rows may match one person."""
        ...

    async def answers(self, asked: Sequence[Asked]) -> list[Rows]:
        """The rows of each question; None where it has to be asked alone."""
        ...


class ManyTables(Protocol):
    """All collections of a map."""

    @property
    def datamap(self) -> DataMap:
        """The map."""
        ...

    def __getitem__(self, name: str) -> ManyTable:
        """A collection by its name."""
        ...


async def find_together(tables: ManyTables, sought: Sequence[Sought], max_rows: int) -> list[Frozen | None]:
    """What each found; None for those who must be searched alone.

    Raises:
        what a reading of the tables raises: then nobody was found.
    """
    people = [
        (subject, Scope(plan_walk(tables.datamap, set(subject.seeds)), cut_off, max_rows))
        for subject, cut_off in sought
    ]
    walks = _Walks(tables, people)
    try:
        return await walks.run()
    finally:
        walks.close()


async def show_together(
    tables: ManyTables, system: str, shown: Sequence[Shown], look: Look
) -> list[Export | None]:
    """What each is shown; None for those who must be asked alone."""
    plain = [_is_plain(tables, one.frozen) for one in shown]
    together = [one for one, is_plain in zip(shown, plain, strict=True) if is_plain]
    if not together:
        return [None] * len(shown)
    held = await look(_everybodys(together), max(one.cut_off for one in together))
    return [
        _shown(tables, system, held, one) if is_plain else None
        for one, is_plain in zip(shown, plain, strict=True)
    ]


def _shown(tables: ManyTables, system: str, held: Held, one: Shown) -> Export | None:
    """None where a row is newer than this person's cut-off: what else there is only a look for them alone tells."""
    own = {n: {k: held[n][k] for k in keys if k in held[n]} for n, keys in one.frozen.rows.items()}
    if not all(tables[n].shape.until(row, one.cut_off) for n, rows in own.items() for row in rows.values()):
        return None
    categories = categories_held(tables.datamap, one.frozen)
    return Export(system, exported(tables, own, one.since), categories)


def _everybodys(shown: Sequence[Shown]) -> dict[str, list[Key]]:
    keys: dict[str, dict[Key, None]] = {}
    for one in shown:
        for name, own in one.frozen.rows.items():
            keys.setdefault(name, {}).update(dict.fromkeys(own))
    return {name: list(each) for name, each in keys.items()}


def _is_plain(tables: ManyTables, frozen: Frozen) -> bool:
    """No key says more than which row: one that names an older version of it is looked for alone."""
    return all(len(key) == len(tables[name].shape.key) for name, keys in frozen.rows.items() for key in keys)


class _Walks:
    def __init__(self, tables: ManyTables, people: Sequence[tuple[Subject, Scope]]) -> None:
        self._tables = tables
        self._walking: list[Coroutine[_Question, Rows, Frozen]] = [
            Walk(_Asking(tables), scope).run(subject) for subject, scope in people
        ]
        self._asking: dict[int, _Question] = {}
        self._found: dict[int, Frozen] = {}

    async def run(self) -> list[Frozen | None]:
        for number in range(len(self._walking)):
            self._step(number, None)
        while self._asking:
            for number, rows in (await self._answered()).items():
                if rows is None:
                    del self._asking[number]
                else:
                    self._step(number, rows)
        return [self._found.get(number) for number in range(len(self._walking))]

    def close(self) -> None:
        """Let go of every walk that has not come to its end."""
        for walking in self._walking:
            walking.close()

    async def _answered(self) -> Mapping[int, Rows]:
        """Each table that anybody asks is read once."""
        found = dict[int, Rows]()
        for name in sorted({question.table for question in self._asking.values()}):
            numbers = [number for number, question in self._asking.items() if question.table == name]
            rows = await self._tables[name].answers([self._asking[number].asked for number in numbers])
            found.update(zip(numbers, rows, strict=True))
        return found

    def _step(self, number: int, rows: Rows) -> None:
        self._asking.pop(number, None)
        try:
            self._asking[number] = self._walking[number].send(rows)
        except StopIteration as end:
            self._found[number] = end.value
        except RowFailure:
            return


@dataclass(frozen=True, slots=True, repr=False)
class _Question:
    """What a walk waits for."""

    table: str
    asked: Asked

    def __await__(self) -> Generator["_Question", list[Row], list[Row]]:
        return (yield self)


class _Asking:
    """Collections that put every question to whoever steps the walk."""

    def __init__(self, tables: ManyTables) -> None:
        self._tables = tables

    @property
    def datamap(self) -> DataMap:
        return self._tables.datamap

    def __getitem__(self, name: str) -> "_AskingTable":
        return _AskingTable(self._tables[name])


class _AskingTable:
    def __init__(self, table: ManyTable) -> None:
        self._table = table

    @property
    def name(self) -> str:
        return self._table.name

    @property
    def collection(self) -> MapCollection:
        return self._table.collection

    @property
    def shape(self) -> RowShape:
        return self._table.shape

    def found_by(self, column: str) -> bool:
        return self._table.found_by(column)

    async def matching(self, column: str, seed: str, match: Match) -> list[Row]:
        return await self._rows(identity(column, seed, match), self._table.most)

    async def having(self, column: str, values: Sequence[Any], *, most: int) -> list[Row]:
        return await self._rows(equal([column], [(value,) for value in values]), most)

    async def _rows(self, wanted: Wanted, most: int) -> list[Row]:
        return await _Question(self.name, Asked(wanted, most))
