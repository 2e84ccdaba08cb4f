"""Act: touched files are written anew beside the old ones, all of them, before the first is put in its place.

What holds nothing of the person is not written again. Doing it again finds nothing left to do, so an attempt that
died between two files is finished by the next.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from services.fulfillment.adapters.objects.contents import Change, Stretch
from services.fulfillment.adapters.objects.packing import packed
from services.fulfillment.adapters.objects.store import Changes, Stored
from services.fulfillment.adapters.objects.tables import Named, Table, Tables
from services.fulfillment.datamap.disputes import Disputed
from services.fulfillment.datamap.flags import FLAG_RIGHTS, flag_of
from services.fulfillment.ports import Key
from services.fulfillment.rowwise.correcting import still_wrong
from services.fulfillment.rowwise.rows import Row, RowShape
from services.fulfillment.rowwise.treating import pending, replacements

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an act is bound by, and for a correction what is wrong."""

    right: str
    cut_off: datetime
    hash_key: bytes
    disputed: Disputed = field(default_factory=dict)


class Changing:
    """One attempt at one act, in the collections that it concerns."""

    def __init__(self, tables: Tables, bounds: Bounds, changes: Changes) -> None:
        self._tables = tables
        self._bounds = bounds
        self._changes = changes

    def run(self, keys: Mapping[str, Sequence[Key]]) -> dict[str, int]:
        """Change what is pending, and count rows by collection.

        Raises:
            Failure: it could not all be done; whether anything was begun is known to the changes.
        """
        done = {name: self._prepare(self._tables[name], each) for name, each in sorted(keys.items())}
        self._changes.commit()
        return done

    def _prepare(self, table: Table, keys: Sequence[Key]) -> int:
        named = table.named(keys)
        touched: dict[Stored, set[Key]] = {}
        for stored, row in table.search(table.sought(named)):
            key = self._meant(table, named, stored, row)
            if key is not None:
                touched.setdefault(stored, set()).add(key)
        for stored in touched:
            self._stage(table, named, stored)
        return len(set[Key]().union(*touched.values()))

    def _stage(self, table: Table, named: Named, stored: Stored) -> None:
        if not stored.current:
            self._changes.remove(stored)
            return
        with (
            table.content(stored) as content,
            self._changes.stage(stored) as raw,
            packed(stored.name, raw) as out,
        ):
            content.rewrite(out, partial(self._decide, table, named, stored))

    def _decide(self, table: Table, named: Named, stored: Stored, stretch: Stretch) -> Mapping[int, Change]:
        meant = stretch.rows(table.sought(named))
        return {
            position: self._change(table, row)
            for position, row in meant
            if self._meant(table, named, stored, row) is not None
        }

    def _meant(self, table: Table, named: Named, stored: Stored, row: Row) -> Key | None:
        """The frozen key of a row that has to change; the past is neither flagged nor corrected."""
        if self._bounds.right != "delete" and not stored.current:
            return None
        key = named.key(RowShape.key_of(table.shape, row), stored)
        if key is None or not table.shape.until(row, self._bounds.cut_off):
            return None
        if self._bounds.right == "correct":
            return key if self._wrong(table, row) else None
        return key if pending(table.collection, self._bounds.right, row) else None

    def _change(self, table: Table, row: Row) -> Change:
        if self._bounds.right == "correct":
            return self._wrong(table, row)
        flag = flag_of(table.collection, self._bounds.right) if self._bounds.right in FLAG_RIGHTS else None
        if flag is not None:
            return {flag.field: flag.value}
        if table.collection.treatment == "erase":
            return None
        values: dict[str, Any] = replacements(table.collection, row, self._bounds.hash_key)
        fields = table.collection.fields
        return {name: value for name, value in values.items() if name in row or not fields[name].steps}

    def _wrong(self, table: Table, row: Row) -> dict[str, Any]:
        return still_wrong(table.collection, row, self._bounds.disputed[table.name])


async def to_its_end(change: Callable[[], T], changes: Changes) -> T:
    """Run it in a thread, which nobody can stop: who is canceled waits until it has seen that it should not begin."""
    future = asyncio.get_running_loop().run_in_executor(None, change)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        changes.stopped = True
        await asyncio.gather(future, return_exceptions=True)
        raise
