"""What a walk asks of a database, one question at a time, and how it is asked for one person alone."""

from collections.abc import AsyncIterator, Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.conditions import Condition
from services.fulfillment.adapters.sql.tables import MappedTable
from services.fulfillment.datamap.additions import Match
from services.fulfillment.ports import Frozen
from services.fulfillment.progress import got_further

MOST_AT_ONCE: Final = 10_000
"""Rows that one answer of the database may bring."""

Values: TypeAlias = tuple[Any, ...]
Row: TypeAlias = sa.RowMapping


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """The columns that together must hold one of the values, in the map's way."""

    columns: tuple[sa.ColumnClause[Any], ...]
    match: Match
    values: Sequence[Values]


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Which rows of a table there are; `take` is given them, as they come.

    `where` is all that bounds the rows for this person alone. Where they are a matter of plain columns, `compared` says
    so, and others' questions of the same kind can be asked with it; whose the rows are is known by the values.
    """

    table: MappedTable
    names: tuple[str, ...]
    where: Callable[[], Sequence[Condition]]
    take: Callable[[Sequence[Row]], None]
    enough: int
    compared: Compared | None = None

    def query(self) -> sa.Select[Any]:
        """The question for this person alone."""
        return sa.select(*(self.table.shown(name) for name in self.names)).where(*self.where())


Walking: TypeAlias = Generator[Question, None, Frozen]


async def answered(connection: AsyncConnection, walking: Walking) -> Frozen:
    """One walk to its end."""
    while True:
        try:
            question = next(walking)
        except StopIteration as end:
            found: Frozen = end.value
            return found
        async for rows in _pages(connection, question):
            question.take(rows)
            await got_further()


async def _pages(connection: AsyncConnection, question: Question) -> AsyncIterator[Sequence[Row]]:
    """All rows; a few come with one answer, very many are read some at a time and never held together."""
    first = await rows_of(connection, question.query(), limit=min(question.enough, MOST_AT_ONCE + 1))
    if len(first) <= MOST_AT_ONCE:
        yield first
        return
    # Nobody reads a million rows to say that they are too many.
    async with connection.stream(question.query().limit(question.enough)) as result:
        async for page in result.mappings().partitions(MOST_AT_ONCE):
            yield page


async def rows_of(connection: AsyncConnection, query: sa.Select[Any], *, limit: int) -> Sequence[Row]:
    """The first rows."""
    rows: Sequence[Row] = (await connection.execute(query.limit(limit))).mappings().all()
    return rows
