"""One act on a store: all frozen rows are read first, then changed chunk by chunk, children before parents."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from services.fulfillment.datamap.disputes import to_change
from services.fulfillment.datamap.flags import FLAG_RIGHTS, flag_of
from services.fulfillment.datamap.graph import deletion_order, map_links
from services.fulfillment.ports import DatasetCount, Frozen, Key
from services.fulfillment.rowwise.correcting import all_wrong, corrected, in_dispute, still_wrong
from services.fulfillment.rowwise.orphans import refuse_orphans
from services.fulfillment.rowwise.rows import Row
from services.fulfillment.rowwise.store import Settling, Store, StoreTable
from services.fulfillment.rowwise.treating import concerned_keys, concerns, counted, pending, replacements

ACT_SECONDS = 20.0
"""An act begins no chunk after this: the rest is another attempt's, well inside the lease."""

PARTLY = timedelta(seconds=1)

Held = Mapping[str, Mapping[Key, Row]]


class NotAll(Exception):
    """The time for one attempt is used up; the rest is for the next."""


@dataclass
class Effects:
    """What one act has brought about so far."""

    chunk: int
    done: dict[str, int] = field(default_factory=dict)
    begun: bool = False
    until: float = field(default_factory=lambda: asyncio.get_running_loop().time() + ACT_SECONDS)

    def begin(self) -> None:
        """Raise NotAll where no chunk may begin any more; the first one always may, or nothing would ever be done."""
        if self.begun and asyncio.get_running_loop().time() >= self.until:
            raise NotAll


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an act is bound by."""

    right: str
    cut_off: datetime
    hash_key: bytes


async def held(store: Store, keys: Mapping[str, Sequence[Key]], cut_off: datetime) -> Held:
    """The rows of these keys that are there, and no newer."""
    found = {name: await store[name].held(each) for name, each in keys.items()}
    return {
        name: {key: row for key, row in rows.items() if store[name].shape.until(row, cut_off)}
        for name, rows in found.items()
    }


async def act(store: Store, frozen: Frozen, bounds: Bounds, effects: Effects) -> tuple[DatasetCount, ...]:
    """Do what the right asks to the frozen rows.

    Raises:
        StoreFailure, RowFailure: it could not all be done; `effects` says whether anything may have been.
        NotAll: there are more rows than one attempt has time for.
    """
    if bounds.right == "correct":
        return await _set_right(store, frozen, bounds.cut_off, effects)
    names = sorted({*frozen.rows, *frozen.shared})
    rows = await held(store, {n: concerned_keys(frozen, n, bounds.right) for n in names}, bounds.cut_off)
    order = deletion_order(names, map_links(store.datamap))
    if bounds.right == "delete":
        await refuse_orphans(store, frozen, rows, bounds.cut_off)
    touched = [name for name in order if concerns(store[name].collection, bounds.right)]
    for name in touched:
        table = store[name]
        left = {key: row for key, row in rows[name].items() if pending(table.collection, bounds.right, row)}
        await _in_chunks(table, left, partial(_do, table, bounds), effects)
        if bounds.right == "delete" and isinstance(table, Settling):
            await table.settle()
    if bounds.right != "delete":
        return tuple(DatasetCount(name, corrected=effects.done.get(name, 0)) for name in touched)
    counts = [
        counted(store[n].collection, frozen, done=effects.done.get(n, 0), left=len(rows[n])) for n in order
    ]
    return tuple(count for count in counts if count)


async def _set_right(
    store: Store, frozen: Frozen, cut_off: datetime, effects: Effects
) -> tuple[DatasetCount, ...]:
    wanted = to_change(store.datamap, frozen.corrections)
    rows = await held(store, in_dispute(store.datamap, frozen), cut_off)
    for name, wrong in all_wrong(store.datamap, frozen, rows).items():
        table, left = store[name], {key: rows[name][key] for key in wrong}
        right = partial(still_wrong, table.collection, wanted=wanted[name])
        await _in_chunks(table, left, partial(table.change, values=right), effects)
    return tuple(corrected(name, frozen, effects.done.get(name, 0)) for name in rows)


async def _in_chunks(
    table: StoreTable,
    rows: Mapping[Key, Row],
    do: Callable[[Mapping[Key, Row]], Awaitable[int]],
    effects: Effects,
) -> None:
    entries = iter(rows.items())
    while chunk := dict(islice(entries, effects.chunk)):
        effects.begin()
        number = await do(chunk)
        effects.begun = True
        effects.done[table.name] = effects.done.get(table.name, 0) + number


async def _do(table: StoreTable, bounds: Bounds, rows: Mapping[Key, Row]) -> int:
    flag = flag_of(table.collection, bounds.right) if bounds.right in FLAG_RIGHTS else None
    if flag is not None:
        return await table.change(rows, lambda _row: {flag.field: flag.value})
    if table.collection.treatment == "erase":
        return await table.erase(rows)
    return await table.change(rows, partial(_replaced, table, bounds))


def _replaced(table: StoreTable, bounds: Bounds, row: Row) -> Mapping[str, object]:
    """What is not there is not put there: nothing in it points to anybody."""
    changes = replacements(table.collection, row, bounds.hash_key)
    return {name: value for name, value in changes.items() if name in row}
