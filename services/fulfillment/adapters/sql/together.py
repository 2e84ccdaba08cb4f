"""Many people's walks and answers in one snapshot: where they ask the same of a table, it is asked once for all.

Only PostgreSQL is asked so. Whoever cannot be answered with the others, for they have very many rows or too many match,
is left out and has to be searched alone, which says what is the matter.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.asked import ASKS, Asked, Asker, asked
from services.fulfillment.adapters.sql.conditions import fitted, matched, owned
from services.fulfillment.adapters.sql.export import counts_of, described, hidden_of, shown_of
from services.fulfillment.adapters.sql.failures import UnboundedError
from services.fulfillment.adapters.sql.keys import plain
from services.fulfillment.adapters.sql.questions import MOST_AT_ONCE, Question, Row, Walking, rows_of
from services.fulfillment.adapters.sql.tables import MappedTable, Tables
from services.fulfillment.bulk import Shown
from services.fulfillment.datamap.model import MapField
from services.fulfillment.ports import ExportedDataset, Frozen


class Together:
    """Walks side by side, step by step."""

    def __init__(self, connection: AsyncConnection, tables: Tables) -> None:
        self._connection = connection
        self._tables = tables
        self._asking: dict[int, Question] = {}
        self._found: dict[int, Frozen] = {}

    async def run(self, walks: Sequence[tuple[Walking, datetime]]) -> list[Frozen | None]:
        """What each found; None for those who must be searched alone."""
        for number in range(len(walks)):
            self._step(number, walks[number][0])
        while self._asking:
            for numbers in self._alike():
                await self._answer(numbers, [walks[number][1] for number in numbers])
            for number in list(self._asking):
                self._step(number, walks[number][0])
        return [self._found.get(number) for number in range(len(walks))]

    def _step(self, number: int, walking: Walking) -> None:
        self._asking.pop(number, None)
        try:
            self._asking[number] = next(walking)
        except StopIteration as end:
            self._found[number] = end.value
        except UnboundedError:
            walking.close()

    def _alike(self) -> list[list[int]]:
        """Who asks the same of a table; a question that compares no plain columns stands by itself."""
        groups: dict[object, list[int]] = defaultdict(list)
        for number, question in self._asking.items():
            compared = question.compared
            kind = compared and (tuple(column.name for column in compared.columns), compared.match)
            groups[question.table.name, question.names, kind or number].append(number)
        return list(groups.values())

    async def _answer(self, numbers: Sequence[int], untils: Sequence[datetime]) -> None:
        first = self._asking[numbers[0]]
        if first.compared is None:
            found: Mapping[int, Sequence[Row]] = {numbers[0]: await self._rows(first.query())}
        else:
            found = await self._rows_of_all(first, numbers, untils)
        if sum(map(len, found.values())) > MOST_AT_ONCE:
            for number in numbers:
                del self._asking[number]
            return
        for number in numbers:
            self._take(number, found.get(number, ()))

    def _take(self, number: int, rows: Sequence[Row]) -> None:
        try:
            self._asking[number].take(rows)
        except UnboundedError:
            del self._asking[number]

    async def _rows_of_all(
        self, first: Question, numbers: Sequence[int], untils: Sequence[datetime]
    ) -> Mapping[int, Sequence[Row]]:
        compared = [self._asking[number].compared for number in numbers]
        values = [one.values if one else () for one in compared]
        askers = [Asker(*each) for each in zip(numbers, untils, values, strict=True) if each[2]]
        if not askers or first.compared is None:
            return {}
        columns = [matched(column, first.compared.match) for column in first.compared.columns]
        who = asked(first.table, columns, askers)
        shown = [first.table.shown(name) for name in first.names]
        own = owned(first.table, self._tables.dialect)
        query = sa.select(who.number.label(ASKS), *shown).where(*who.where, own)
        return _by_asker(await self._rows(query))

    async def _rows(self, query: sa.Select[Any]) -> Sequence[Row]:
        return await rows_of(self._connection, query, limit=MOST_AT_ONCE + 1)


async def export_together(
    connection: AsyncConnection, tables: Tables, wanted: Sequence[Shown]
) -> list[tuple[ExportedDataset, ...]]:
    """Each one's rows of every table; a row in two lists is shown to both."""
    found: list[list[ExportedDataset]] = [[] for _ in wanted]
    for name in sorted({name for one in wanted for name in one.frozen.rows}):
        table = tables[name]
        if table.collection.treatment == "keep":
            continue
        numbers = [number for number, one in enumerate(wanted) if name in one.frozen.rows]
        askers = [
            Asker(number, one.cut_off, fitted(table, one.frozen.rows[name]), one.since)
            for number in numbers
            for one in [wanted[number]]
        ]
        who = asked(table, table.key, askers)
        rows = _by_asker((await connection.execute(_shown(table, who))).mappings())
        held = await _held(connection, table, who)
        for number in numbers:
            shown = [
                {column: plain(value) for column, value in row.items() if column != ASKS}
                for row in rows.get(number, ())
            ]
            found[number].append(described(table, shown, held.get(number, {})))
    return [tuple(each) for each in found]


def _shown(table: MappedTable, who: Asked) -> sa.Select[Any]:
    query = sa.select(who.number.label(ASKS), *shown_of(table))
    return query.where(*who.where).order_by(who.number, *table.key)


async def _held(
    connection: AsyncConnection, table: MappedTable, who: Asked
) -> Mapping[int, Mapping[MapField, int]]:
    """Whose rows hold how many of the values that are not shown."""
    fields = hidden_of(table)
    if not fields:
        return {}
    query = sa.select(who.number, *counts_of(table, fields)).where(*who.where).group_by(who.number)
    rows = (await connection.execute(query)).all()
    return {number: dict(zip(fields, counts, strict=True)) for number, *counts in rows}


def _by_asker(rows: Iterable[Row]) -> Mapping[int, Sequence[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[ASKS]].append(row)
    return found
