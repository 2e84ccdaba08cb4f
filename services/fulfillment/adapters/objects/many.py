"""Many people's rows in one going through of the files: each file is read and written once for all of them.

People of one cut-off go together. Whose row it is, is known by the key that each froze, so everybody has a count and
a proof of their own.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from services.fulfillment.adapters.objects.changing import Bounds, Changing
from services.fulfillment.adapters.objects.store import Changes
from services.fulfillment.adapters.objects.tables import Tables
from services.fulfillment.bulk import Order
from services.fulfillment.datamap.model import MapCollection
from services.fulfillment.finding import together
from services.fulfillment.ports import DatasetCount, Frozen, Gone, Key, Proof, StillPresent
from services.fulfillment.rowwise.orphans import refuse_orphans
from services.fulfillment.rowwise.rows import Row
from services.fulfillment.rowwise.treating import concerned_keys, concerns, counted, pending

Rows = Mapping[str, set[Key]]


def by_cut_off(orders: Sequence[Order]) -> list[list[int]]:
    """The places of the orders that go together."""
    groups: dict[object, list[int]] = {}
    for number, one in enumerate(orders):
        groups.setdefault(one.cut_off, []).append(number)
    return list(groups.values())


def union(orders: Sequence[Order]) -> Frozen:
    """Everybody's rows; a row that is one person's own is not shared by another."""
    rows: dict[str, list[Key]] = {}
    shared: dict[str, list[Key]] = {}
    for one in orders:
        for into, found in ((rows, one.frozen.rows), (shared, one.frozen.shared)):
            for name, keys in found.items():
                into.setdefault(name, []).extend(keys)
    return together(Frozen({name: tuple(keys) for name, keys in rows.items()}), Frozen({}, _tuples(shared)))


async def prepare(
    tables: Tables, changes: Changes, bounds: Bounds, orders: Sequence[Order]
) -> tuple[partial[dict[str, int]], list[tuple[DatasetCount, ...]]]:
    """What is to be run, and what each one's receipt will count when it was.

    Raises:
        RowFailure: somebody's rows are referred to by others: nothing was begun.
    """
    everybody, right, cut_off = union(orders), bounds.right, bounds.cut_off
    names = sorted({*everybody.rows, *everybody.shared})
    held = await tables.held({name: concerned_keys(everybody, name, right) for name in names}, cut_off)
    if right == "delete":
        await refuse_orphans(tables, everybody, held, cut_off)
    touched = {
        name: concerned_keys(everybody, name, right)
        for name in names
        if concerns(tables[name].collection, right)
    }
    due = _due(tables, right, {name: held[name] for name in touched})
    there = {name: set(rows) for name, rows in held.items()}
    collections = {name: tables[name].collection for name in names}
    counts = [tuple(_counts(collections, right, one.frozen, due, there)) for one in orders]
    return partial(Changing(tables, bounds, changes).run, touched), counts


async def proofs(tables: Tables, right: str, orders: Sequence[Order], leftovers: int) -> list[Proof]:
    """Read back once for all."""
    everybody, cut_off = union(orders), orders[0].cut_off
    names = [
        name
        for name in sorted({*everybody.rows, *everybody.shared})
        if concerns(tables[name].collection, right)
    ]
    held = await tables.held({name: concerned_keys(everybody, name, right) for name in names}, cut_off)
    due = _due(tables, right, held)
    return [_proof(one.frozen, right, names, due, leftovers) for one in orders]


def _due(tables: Tables, right: str, held: Mapping[str, Mapping[Key, Row]]) -> dict[str, set[Key]]:
    """The rows that are not done yet."""
    found: dict[str, set[Key]] = {}
    for name, rows in held.items():
        collection = tables[name].collection
        found[name] = {key for key, row in rows.items() if pending(collection, right, row)}
    return found


def _proof(frozen: Frozen, right: str, names: Sequence[str], due: Rows, leftovers: int) -> Proof:
    keys = {name: concerned_keys(frozen, name, right) for name in names}
    left = leftovers + sum(key in due[name] for name, each in keys.items() for key in each)
    return StillPresent(left) if left else Gone({name: len(each) for name, each in keys.items() if each})


def _counts(
    collections: Mapping[str, MapCollection], right: str, frozen: Frozen, due: Rows, there: Rows
) -> Sequence[DatasetCount]:
    counts = list[DatasetCount]()
    for name in sorted({*frozen.rows, *frozen.shared}):
        own = concerned_keys(frozen, name, right)
        done = sum(key in due.get(name, ()) for key in own)
        if right != "delete":
            if name in due:
                counts.append(DatasetCount(name, corrected=done))
            continue
        left = sum(key in there[name] for key in own)
        count = counted(collections[name], frozen, done=done, left=left)
        if count is not None:
            counts.append(count)
    return counts


def _tuples(found: Mapping[str, Sequence[Key]]) -> dict[str, tuple[Key, ...]]:
    return {name: tuple(keys) for name, keys in found.items()}
