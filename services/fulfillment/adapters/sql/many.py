"""Many people's rows by few statements: each table is asked once for everybody, every key with its own cut-off.

Only PostgreSQL is asked so. One transaction holds a chunk of people; if anything in it is refused, nothing of the
chunk is done, and its people are done one by one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.conditions import joined
from services.fulfillment.adapters.sql.destroy import Bounds, Deletion
from services.fulfillment.adapters.sql.failures import RefusedError
from services.fulfillment.adapters.sql.flags import setting, unset
from services.fulfillment.adapters.sql.listing import (
    Counts,
    Listing,
    change_all,
    count_all,
    left_of_all,
    listing,
)
from services.fulfillment.adapters.sql.nested.inside import Inside
from services.fulfillment.adapters.sql.readback import concerned, pending_in
from services.fulfillment.adapters.sql.replacing import identifying, own_to_a_row, replacements
from services.fulfillment.adapters.sql.tables import Link, MappedTable, Tables
from services.fulfillment.bulk import Order, alike, tables_of
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

_PLAN_ANEW = sa.text(
    "SELECT set_config(name, 'force_custom_plan', true) FROM pg_settings WHERE name = 'plan_cache_mode'"
)


@dataclass(slots=True)
class Done:
    """What was done to each person's rows of one table."""

    erased: Counts
    deidentified: Counts
    held: Counts


@dataclass(frozen=True, slots=True)
class Told:
    """One person's rows of one table, as a receipt counts them."""

    erased: int
    deidentified: int
    held: int
    shared: int


def can_list(tables: Tables) -> bool:
    """Whether the database can be asked in lists."""
    return tables.dialect == "postgresql"


async def delete_many(
    connection: AsyncConnection, tables: Tables, orders: Sequence[Order], bounds: Callable[[datetime], Bounds]
) -> list[tuple[DatasetCount, ...]]:
    """Children before parents, as for one person; the caller commits.

    A keyed hash needs each value: such tables are done one person after the other, in the same transaction.
    """
    order, done = deletion_order(tables_of(orders), tables.order_links), dict[str, Done]()
    for name in order:
        done[name] = await _treat(connection, tables, listing(tables, name, orders, _own), order)
        if is_hashed(tables[name]):
            done[name].deidentified = await _hashed(connection, tables, name, orders, bounds)
    return _counts(tables, {name: done[name] for name in order if _is_told(tables[name])}, orders)


async def flag_many(
    connection: AsyncConnection, tables: Tables, right: str, orders: Sequence[Order]
) -> list[tuple[DatasetCount, ...]]:
    """Set the right's column on everybody's rows, where it is not set yet."""
    counts = [list[DatasetCount]() for _ in orders]
    for name in tables_of(orders):
        flag = flag_of(tables[name].collection, right)
        listed = listing(tables, name, orders, _own_and_shared)
        if flag is None or not listed:
            continue
        change = sa.update(listed.table.clause).values(setting(listed.table, flag))
        changed = await change_all(connection, listed, change, unset(listed.table, flag))
        for number, one in enumerate(orders):
            if _own_and_shared(one.frozen, name):
                counts[number].append(DatasetCount(name, corrected=changed[number]))
    return [tuple(each) for each in counts]


async def read_back_many(
    connection: AsyncConnection, tables: Tables, right: str, orders: Sequence[Order]
) -> list[Proof]:
    """What should be gone, replaced or flagged and is not, for each person."""
    names, lefts, checked = list[str](), list[Counts](), list[Counts]()
    for name in tables_of(orders):
        pending = pending_in(tables[name], right)
        listed = listing(tables, name, orders, lambda frozen, name: concerned(frozen, name, right))
        if pending is None or not listed:
            continue
        names.append(name)
        lefts.append(await left_of_all(connection, listed, pending))
        checked.append([len(concerned(one.frozen, name, right)) for one in orders])
    left = list(map(sum, zip(*lefts, strict=True))) if names else [0] * len(orders)
    return alike([left, *checked], lambda shape: _proof(shape[0], dict(zip(names, shape[1:], strict=True))))


def _proof(left: int, checked: dict[str, int]) -> Proof:
    return StillPresent(left) if left else Gone({name: number for name, number in checked.items() if number})


async def _treat(connection: AsyncConnection, tables: Tables, listed: Listing, order: Sequence[str]) -> Done:
    table, done = listed.table, Done(listed.nobody, listed.nobody, listed.nobody)
    if not listed:
        return done
    if table.collection.exemptions:
        done.held = await count_all(connection, listed)
    match table.collection.treatment:
        case "erase":
            for link in tables.links:
                if link.parent == table.name:
                    await _refuse_orphans(connection, tables, listed, link, order)
            done.erased = await change_all(connection, listed, sa.delete(table.clause))
        case "deidentify" if not is_hashed(table):
            change = sa.update(table.clause).values(replacements(table))
            done.deidentified = await change_all(connection, listed, change, identifying(table))
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
    counts = [0] * len(orders)
    for number, one in enumerate(orders):
        if keys := one.frozen.rows.get(name, ()):
            deletion = Deletion(connection, tables, bounds(one.cut_off))
            counts[number] = await deletion.deidentify(tables[name], keys)
    return counts


async def _refuse_orphans(
    connection: AsyncConnection, tables: Tables, listed: Listing, link: Link, order: Sequence[str]
) -> None:
    """As for one person; rows of the same table that refer to each other all go in this one statement."""
    parent = listed.table
    if link.child in order and order.index(link.child) > order.index(parent.name):
        return
    child = tables[link.child]
    below = child.clause.alias("below")
    if link.child != parent.name and await _nothing_refers(connection, listed, (child, below), link):
        return
    refers = [joined(child.spot(own, below), parent.spot(other), tables.dialect) for own, other in link.pairs]
    if link.child == parent.name:
        own_key = [below.c[column.name] for column in parent.key]
        same = (own == other for own, other in zip(own_key, listed.others().c, strict=True))
        refers.append(~sa.exists().where(*same))
    held = sa.exists().select_from(below).where(*refers)
    query = sa.select(sa.literal(1)).select_from(parent.clause).where(*listed.exact, held).limit(1)
    if (await connection.execute(query)).first() is not None:
        raise RefusedError(f"rows of {parent.name} are referred to by other rows of {link.child}")


async def _nothing_refers(
    connection: AsyncConnection, listed: Listing, below: tuple[MappedTable, sa.FromClause], link: Link
) -> bool:
    """No row below refers to any of the keys: then it does not matter which of these are there, and how old.

    Counted, not only looked for: with a limit the planner reads a table from its beginning, and finds nothing.
    """
    own, others = below[0].spot(link.pairs[0][0], below[1]), [other for _, other in link.pairs]
    if isinstance(own, Inside) or others != [column.name for column in listed.table.key]:
        return False
    among = listed.among(own)
    if among is None:
        return False
    # A plan made for any list takes each value of a long one in turn, where it could look all of them up at once.
    await connection.execute(_PLAN_ANEW)
    query = sa.select(sa.func.count()).select_from(below[1]).where(among)
    return not (await connection.execute(query)).scalar_one()


def _own(frozen: Frozen, name: str) -> Sequence[Key]:
    return frozen.rows.get(name, ())


def _own_and_shared(frozen: Frozen, name: str) -> Sequence[Key]:
    return (*frozen.rows.get(name, ()), *frozen.shared.get(name, ()))


def _is_told(table: MappedTable) -> bool:
    return table.collection.treatment != "keep"


def _counts(tables: Tables, done: dict[str, Done], orders: Sequence[Order]) -> list[tuple[DatasetCount, ...]]:
    """Each one's receipt as if they had been alone; those of whom the same is said share it."""
    columns = [
        [
            (erased, deidentified, held, len(one.frozen.shared.get(name, ())))
            if name in one.frozen.rows or name in one.frozen.shared
            else None
            for erased, deidentified, held, one in zip(
                each.erased, each.deidentified, each.held, orders, strict=True
            )
        ]
        for name, each in done.items()
    ]
    if not columns:
        return [()] * len(orders)
    told = list(done)
    return alike(
        columns,
        lambda shape: tuple(
            _count(tables[name], Told(*each)) for name, each in zip(told, shape, strict=True) if each
        ),
    )


def _count(table: MappedTable, told: Told) -> DatasetCount:
    retained = [Retained(RIGHTS_OF_OTHERS, told.shared)] if told.shared else []
    if told.held:
        retained += [Retained(exemption, told.held) for exemption in table.collection.exemptions]
    return DatasetCount(
        table.name, erased=told.erased, deidentified=told.deidentified, retained=tuple(retained)
    )
