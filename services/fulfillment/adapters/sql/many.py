"""Many people's rows by few statements: each is joined to a list of keys, every key with its own person's cut-off.

Only PostgreSQL is asked so. One transaction holds a chunk of people; if anything in it is refused, nothing of the
chunk is done, and its people are done one by one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.conditions import Condition, bound_of, fitted, joined
from services.fulfillment.adapters.sql.destroy import Bounds, Deletion
from services.fulfillment.adapters.sql.failures import RefusedError
from services.fulfillment.adapters.sql.flags import setting, unset
from services.fulfillment.adapters.sql.keys import encode
from services.fulfillment.adapters.sql.readback import concerned, pending_in
from services.fulfillment.adapters.sql.replacing import identifying, own_to_a_row, replacements
from services.fulfillment.adapters.sql.tables import Link, MappedTable, Tables
from services.fulfillment.bulk import Order
from services.fulfillment.datamap.flags import flag_of
from services.fulfillment.datamap.graph import deletion_order
from services.fulfillment.ports import (
    RIGHTS_OF_OTHERS,
    DatasetCount,
    Frozen,
    Gone,
    Key,
    Proof,
    Retained,
    StillPresent,
)

Counts = dict[int, int]


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows of one table that are asked for: whose each is, and until when it counts."""

    table: MappedTable
    owner: Mapping[Key, int]
    source: sa.TableValuedAlias
    holds: Condition

    def by_owner(self, rows: Iterable[Sequence[Any]]) -> Counts:
        """How many of these rows each person has."""
        counts: Counts = {}
        for row in rows:
            one = self.owner[tuple(map(encode, row))]
            counts[one] = counts.get(one, 0) + 1
        return counts


@dataclass(slots=True)
class Done:
    """What was done to each person's rows of one table."""

    erased: Counts = field(default_factory=dict)
    deidentified: Counts = field(default_factory=dict)
    corrected: Counts = field(default_factory=dict)
    held: Counts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """A table that receipts speak of: on which grounds its rows may stay, and what was done."""

    name: str
    exemptions: tuple[str, ...]
    done: Done


def can_list(tables: Tables) -> bool:
    """Whether the database can be asked in lists."""
    return tables.dialect == "postgresql"


async def delete_many(
    connection: AsyncConnection, tables: Tables, orders: Sequence[Order], bounds: Callable[[datetime], Bounds]
) -> list[tuple[DatasetCount, ...]]:
    """Children before parents, as for one person; the caller commits.

    A keyed hash needs each value: such tables are done one person after the other, in the same transaction.
    """
    names = sorted({name for one in orders for name in (*one.frozen.rows, *one.frozen.shared)})
    order, done = deletion_order(names, tables.order_links), dict[str, Done]()
    for name in order:
        listed = _listed(tables, name, orders, lambda frozen, name: frozen.rows.get(name, ()))
        done[name] = await _treat(connection, tables, listed, order) if listed is not None else Done()
        if is_hashed(tables[name]):
            done[name].deidentified = await _hashed(connection, tables, name, orders, bounds)
    told = [
        Told(name, tables[name].collection.exemptions, done[name])
        for name in order
        if tables[name].collection.treatment != "keep"
    ]
    return [_counts(told, number, one.frozen) for number, one in enumerate(orders)]


async def flag_many(
    connection: AsyncConnection, tables: Tables, right: str, orders: Sequence[Order]
) -> list[tuple[DatasetCount, ...]]:
    """Set the right's column on everybody's rows, where it is not set yet."""
    counts = [list[DatasetCount]() for _ in orders]
    for name in sorted({name for one in orders for name in (*one.frozen.rows, *one.frozen.shared)}):
        flag = flag_of(tables[name].collection, right)
        listed = _listed(tables, name, orders, _own_and_shared) if flag else None
        if flag is None or listed is None:
            continue
        where = (listed.holds, unset(listed.table, flag))
        change = sa.update(listed.table.clause).where(*where).values(setting(listed.table, flag))
        changed = listed.by_owner(await _returned(connection, listed.table, change))
        for number, one in enumerate(orders):
            if _own_and_shared(one.frozen, name):
                counts[number].append(DatasetCount(name, corrected=changed.get(number, 0)))
    return [tuple(each) for each in counts]


async def read_back_many(
    connection: AsyncConnection, tables: Tables, right: str, orders: Sequence[Order]
) -> list[Proof]:
    """What should be gone, replaced or flagged and is not, for each person."""
    left, checked = dict[int, int](), [dict[str, int]() for _ in orders]
    for name in sorted({name for one in orders for name in (*one.frozen.rows, *one.frozen.shared)}):
        pending = pending_in(tables[name], right)
        listed = _listed(tables, name, orders, lambda frozen, name: concerned(frozen, name, right))
        if pending is None or listed is None:
            continue
        query = sa.select(*listed.table.key).where(listed.holds, pending)
        for number, count in listed.by_owner((await connection.execute(query)).all()).items():
            left[number] = left.get(number, 0) + count
        for number, one in enumerate(orders):
            if keys := concerned(one.frozen, name, right):
                checked[number][name] = len(keys)
    return [StillPresent(left[n]) if n in left else Gone(checked[n]) for n in range(len(orders))]


async def _treat(connection: AsyncConnection, tables: Tables, listed: Listed, order: Sequence[str]) -> Done:
    table, done = listed.table, Done()
    if table.collection.exemptions:
        held = sa.select(*table.key).where(listed.holds)
        done.held = listed.by_owner((await connection.execute(held)).all())
    match table.collection.treatment:
        case "erase":
            for link in tables.links:
                if link.parent == table.name:
                    await _refuse_orphans(connection, tables, listed, link, order)
            erase = sa.delete(table.clause).where(listed.holds)
            done.erased = listed.by_owner(await _returned(connection, table, erase))
        case "deidentify" if not is_hashed(table):
            change = (
                sa.update(table.clause).where(listed.holds, identifying(table)).values(replacements(table))
            )
            done.deidentified = listed.by_owner(await _returned(connection, table, change))
    return done


def is_hashed(table: MappedTable) -> bool:
    """Whether de-identifying this table needs its values."""
    return bool(own_to_a_row(table))


async def _hashed(
    connection: AsyncConnection,
    tables: Tables,
    name: str,
    orders: Sequence[Order],
    bounds: Callable[[datetime], Bounds],
) -> Counts:
    counts: Counts = {}
    for number, one in enumerate(orders):
        if keys := one.frozen.rows.get(name, ()):
            deletion = Deletion(connection, tables, bounds(one.cut_off))
            counts[number] = await deletion.deidentify(tables[name], keys)
    return counts


async def _refuse_orphans(
    connection: AsyncConnection, tables: Tables, listed: Listed, link: Link, order: Sequence[str]
) -> None:
    """As for one person; rows of the same table that refer to each other all go in this one statement."""
    parent = listed.table
    if link.child in order and order.index(link.child) > order.index(parent.name):
        return
    below = tables[link.child].clause.alias("below")
    refers = [
        joined(tables[link.child].spot(own, below), parent.spot(other), tables.dialect)
        for own, other in link.pairs
    ]
    if link.child == parent.name:
        others = _values(parent, listed.owner, "others")
        own_key = [below.c[column.name] for column in parent.key]
        refers.append(
            ~sa.exists().where(*(own == other for own, other in zip(own_key, others.c, strict=True)))
        )
    held = sa.exists().select_from(below).where(*refers)
    query = sa.select(sa.literal(1)).select_from(parent.clause).where(listed.holds, held).limit(1)
    if (await connection.execute(query)).first() is not None:
        raise RefusedError(f"rows of {parent.name} are referred to by other rows of {link.child}")


async def _returned(
    connection: AsyncConnection, table: MappedTable, change: sa.Delete | sa.Update
) -> Sequence[Sequence[Any]]:
    return (await connection.execute(change.returning(*table.key))).all()


def _listed(
    tables: Tables, name: str, orders: Sequence[Order], keys_of: Callable[[Frozen, str], Sequence[Key]]
) -> Listed | None:
    """A row that two people's lists name is the first one's: it can be done only once."""
    table, owner, until = tables[name], dict[Key, int](), list[datetime]()
    for number, one in enumerate(orders):
        for key in keys_of(one.frozen, name):
            if owner.setdefault(key, number) == number and len(until) < len(owner):
                until.append(one.cut_off)
    if not owner:
        return None
    source = _values(table, owner, "listed", until)
    same = [own == source.c[f"k{place}"] for place, own in enumerate(table.key)]
    return Listed(table, owner, source, sa.and_(*same, *_until(table, source)))


def _values(
    table: MappedTable, owner: Mapping[Key, int], name: str, until: Sequence[datetime] = ()
) -> sa.TableValuedAlias:
    columns = list(zip(*fitted(table, list(owner)), strict=True))
    arrays = [
        sa.bindparam(None, list(values), type_=ARRAY(column.type))
        for values, column in zip(columns, table.key, strict=True)
    ]
    named = [sa.column(f"k{place}", column.type) for place, column in enumerate(table.key)]
    created = table.collection.created_at
    if until and created is not None:
        stamp, _ = bound_of(table, until[0])
        as_bound = {one: bound_of(table, one)[1] for one in set(until)}
        bounds = [as_bound[one] for one in until]
        arrays.append(sa.bindparam(None, bounds, type_=ARRAY(stamp.type)))
        named.append(sa.column("until", stamp.type))
    return sa.func.unnest(*arrays).table_valued(*named, name=name).render_derived()


def _until(table: MappedTable, source: sa.TableValuedAlias) -> list[Condition]:
    created = table.collection.created_at
    if created is None:
        return []
    column = table.column(created.field)
    return [sa.or_(column.is_(None), column <= source.c.until)]


def _own_and_shared(frozen: Frozen, name: str) -> Sequence[Key]:
    return (*frozen.rows.get(name, ()), *frozen.shared.get(name, ()))


def _counts(told: Sequence[Told], number: int, frozen: Frozen) -> tuple[DatasetCount, ...]:
    """One person's receipt, as if they had been alone."""
    return tuple(
        _count(one, number, len(frozen.shared.get(one.name, ())))
        for one in told
        if one.name in frozen.rows or one.name in frozen.shared
    )


def _count(told: Told, number: int, shared: int) -> DatasetCount:
    did, held = told.done, told.done.held.get(number, 0)
    retained = [Retained(RIGHTS_OF_OTHERS, shared)] if shared else []
    if held:
        retained += [Retained(exemption, held) for exemption in told.exemptions]
    return DatasetCount(
        told.name,
        erased=did.erased.get(number, 0),
        deidentified=did.deidentified.get(number, 0),
        retained=tuple(retained),
    )
