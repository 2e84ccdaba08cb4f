"""Everybody's keys of one table in one statement, in two ways.

Roughly: the keys as one array, until the earliest of all cut-offs. It is quick, and if it concerns as many rows as
there are keys, then it is right for everybody. Exactly: a list of keys to join, each with its own person's cut-off;
what it returns says whose rows they were.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.conditions import Condition, bound_of, fitted, until
from services.fulfillment.adapters.sql.keys import encode, fitted_parts
from services.fulfillment.adapters.sql.tables import MappedTable, Tables
from services.fulfillment.bulk import Order
from services.fulfillment.ports import Frozen, Key

Counts = Sequence[int]
"""How many rows, of each person in turn."""


class Listing:
    """The keys of one table that are asked for: whose each is, and until when it counts."""

    def __init__(
        self, table: MappedTable, each: Sequence[Sequence[Key]], cut_offs: Sequence[datetime]
    ) -> None:
        self.table = table
        self._each = each
        self._cut_offs = cut_offs
        self._keys = [*chain.from_iterable(each)]

    def __bool__(self) -> bool:
        return bool(self._keys)

    @property
    def nobody(self) -> Counts:
        """No row of anybody."""
        return [0] * len(self._each)

    @cached_property
    def rough(self) -> tuple[Condition, ...] | None:
        """The rows of all keys until the earliest cut-off; None where that might not tell whose rows they are."""
        among = self.among(self.table.key[0]) if self._is_plain else None
        return None if among is None else (among, until(self.table, min(self._cut_offs), "postgresql"))

    def among(self, column: sa.ColumnElement[Any]) -> Condition | None:
        """The column is one of the keys; None where a key is more than one value."""
        [own, *others] = self.table.key
        if others:
            return None
        values = fitted_parts(own, [part for (part,) in self._keys])
        return column == sa.func.any(sa.bindparam(None, values, type_=ARRAY(own.type, dimensions=1)))

    @cached_property
    def exact(self) -> tuple[Condition, ...]:
        """Each key's row, until its own person's cut-off."""
        source = self._source("listed", bounded=True)
        same = [own == source.c[f"k{place}"] for place, own in enumerate(self.table.key)]
        created = self.table.collection.created_at
        if created is None:
            return tuple(same)
        column = self.table.column(created.field)
        return (*same, sa.or_(column.is_(None), column <= source.c.until))

    def others(self) -> sa.TableValuedAlias:
        """The keys alone, as a table."""
        return self._source("others", bounded=False)

    @property
    def alike(self) -> Counts | None:
        """How many rows each has if all are there; None where that many rows might be others than these."""
        return list(map(len, self._each)) if self._is_plain else None

    @property
    def number(self) -> int:
        """How many keys there are."""
        return len(self._keys)

    def of_each(self, rows: Iterable[Sequence[Any]]) -> Counts:
        """How many of these rows each person has."""
        counts = [0] * len(self._each)
        for row in rows:
            counts[self._owner[tuple(map(encode, row))]] += 1
        return counts

    @cached_property
    def _is_plain(self) -> bool:
        """No key belongs to two rows, and none to two people."""
        return self.table.unique and len(self.table.key) == 1 and len(set(self._keys)) == len(self._keys)

    @cached_property
    def _owner(self) -> Mapping[Key, int]:
        """A row that two people's lists name is the first one's: it can be done only once."""
        owner = dict[Key, int]()
        for number, keys in enumerate(self._each):
            for key in keys:
                owner.setdefault(key, number)
        return owner

    def _source(self, name: str, *, bounded: bool) -> sa.TableValuedAlias:
        table, keys = self.table, list(self._owner)
        columns = list(zip(*fitted(table, keys), strict=True))
        arrays = [
            sa.bindparam(None, list(values), type_=ARRAY(column.type, dimensions=1))
            for values, column in zip(columns, table.key, strict=True)
        ]
        named = [sa.column(f"k{place}", column.type) for place, column in enumerate(table.key)]
        if bounded and table.collection.created_at is not None:
            stamp, _ = bound_of(table, self._cut_offs[0])
            as_bound = {one: bound_of(table, one)[1] for one in set(self._cut_offs)}
            bounds = [as_bound[self._cut_offs[number]] for number in self._owner.values()]
            arrays.append(sa.bindparam(None, bounds, type_=ARRAY(stamp.type, dimensions=1)))
            named.append(sa.column("until", stamp.type))
        return sa.func.unnest(*arrays).table_valued(*named, name=name).render_derived()


def listing(
    tables: Tables, name: str, orders: Sequence[Order], keys_of: Callable[[Frozen, str], Sequence[Key]]
) -> Listing:
    """Everybody's keys of one table."""
    return Listing(
        tables[name], [keys_of(one.frozen, name) for one in orders], [one.cut_off for one in orders]
    )


async def change_all(
    connection: AsyncConnection, listed: Listing, change: sa.Delete | sa.Update, *more: Condition
) -> Counts:
    """Change the rows, and say how many of each person's were.

    Roughly first, which is taken back if it was not every row: it does not say whose the others were.
    """
    rough, alike = listed.rough, listed.alike
    if rough and alike:
        async with connection.begin_nested() as attempt:
            if (await connection.execute(change.where(*rough, *more))).rowcount == listed.number:
                return alike
            await attempt.rollback()
    exactly = change.where(*listed.exact, *more).returning(*listed.table.key)
    return listed.of_each((await connection.execute(exactly)).all())


async def count_all(connection: AsyncConnection, listed: Listing, *more: Condition) -> Counts:
    """How many rows each person has."""
    rough, alike = listed.rough, listed.alike
    if rough and alike and await _number(connection, listed, *rough, *more) == listed.number:
        return alike
    query = sa.select(*listed.table.key).where(*listed.exact, *more)
    return listed.of_each((await connection.execute(query)).all())


async def left_of_all(connection: AsyncConnection, listed: Listing, *more: Condition) -> Counts:
    """The same where none is expected: whatever the cut-offs are, no row at all is none of anybody's."""
    among = listed.among(listed.table.key[0]) if listed.table.unique else None
    if among is not None and not await _number(connection, listed, among, *more):
        return listed.nobody
    query = sa.select(*listed.table.key).where(*listed.exact, *more)
    return listed.of_each((await connection.execute(query)).all())


async def _number(connection: AsyncConnection, listed: Listing, *where: Condition) -> int:
    query = sa.select(sa.func.count()).select_from(listed.table.clause).where(*where)
    return int((await connection.execute(query)).scalar_one())
