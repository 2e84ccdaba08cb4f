"""Act: read first, refuse what is not ours to touch, then request by request, children before parents.

An interface over HTTP has no transaction: what cannot be done wholly is done so that a second attempt, bound to the
same ids and the same keys, does only what is left.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.fulfillment.adapters.http.changing import Changing, Effects
from services.fulfillment.adapters.http.connector import Change
from services.fulfillment.adapters.http.failures import Failure
from services.fulfillment.adapters.http.tables import Table, Tables
from services.fulfillment.datamap.flags import flag_of
from services.fulfillment.datamap.graph import child_and_parent, deletion_order, map_links
from services.fulfillment.ports import DatasetCount, Frozen, Key
from services.fulfillment.rowwise.orphans import Held, refuse_orphans
from services.fulfillment.rowwise.rows import Row, same
from services.fulfillment.rowwise.treating import counted, identifying, replacements


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an act is bound by."""

    cut_off: datetime
    hash_key: bytes


class Deletion:
    """One attempt at one deletion."""

    def __init__(self, tables: Tables, bounds: Bounds, effects: Effects) -> None:
        self._tables = tables
        self._bounds = bounds
        self._effects = effects

    async def run(self, frozen: Frozen, held: Held) -> tuple[DatasetCount, ...]:
        """Delete or de-identify what is held of the frozen rows.

        Raises:
            Failure, NotAll: it could not all be done; `effects` counts what was.
        """
        names = sorted({*frozen.rows, *frozen.shared})
        order = deletion_order(names, map_links(self._tables.datamap))
        await refuse_orphans(self._tables, frozen, held, self._bounds.cut_off)
        for name in order:
            await self._treat(self._tables[name], held.get(name, {}))
        counts = [
            counted(
                self._tables[name].collection,
                frozen,
                done=self._effects.done.get(name, 0),
                left=len(held.get(name, {})),
            )
            for name in order
        ]
        return tuple(count for count in counts if count)

    async def _treat(self, table: Table, rows: Mapping[Key, Row]) -> None:
        match table.collection.treatment:
            case "erase":
                change = needed(table.spec.delete, table, "delete")
                await Changing(table, "delete", change).run(self._ordered(table, rows), self._effects)
            case "deidentify":
                await self._deidentify(table, rows)

    def _ordered(self, table: Table, rows: Mapping[Key, Row]) -> list[Key]:
        """Rows that refer to others of their own collection go before these; a circle is cut at its first row."""
        own = [
            child_and_parent(reference, self._tables.datamap) for reference in self._tables.datamap.references
        ]
        pairs = [(c.field, p.field) for c, p in own if c.collection == p.collection == table.name]
        waiting, order = dict(rows), list[Key]()
        while waiting:
            held = {key for key, row in waiting.items() if _referred(row, waiting.values(), pairs)}
            free = [key for key in waiting if key not in held] or [next(iter(waiting))]
            order += free
            waiting = {key: row for key, row in waiting.items() if key not in free}
        return order

    async def _deidentify(self, table: Table, rows: Mapping[Key, Row]) -> None:
        changing = Changing(table, "update", needed(table.spec.update, table, "update"))
        for key, row in rows.items():
            if identifying(table.collection, row):
                changes = replacements(table.collection, row, self._bounds.hash_key)
                await changing.run([key], self._effects, changes=changes)


async def set_flags(tables: Tables, right: str, held: Held, effects: Effects) -> tuple[DatasetCount, ...]:
    """Opt out or limit: set the column that the map names, where it is not set yet."""
    counts = []
    for name, rows in sorted(held.items()):
        table = tables[name]
        flag = flag_of(table.collection, right)
        if flag is None:
            continue
        own = table.spec.opt_out if right == "opt_out" else table.spec.limit
        change = needed(own or table.spec.update, table, right)
        keys = [key for key, row in rows.items() if not same(row.get(flag.field), flag.value)]
        await Changing(table, right, change).run(keys, effects, changes={flag.field: flag.value})
        counts.append(DatasetCount(name, corrected=effects.done.get(name, 0)))
    return tuple(counts)


def _referred(row: Row, others: Iterable[Row], pairs: Sequence[tuple[str, str]]) -> bool:
    return any(
        other is not row and other.get(below) is not None and same(other.get(below), row.get(above))
        for other in others
        for below, above in pairs
    )


def needed(change: Change | None, table: Table, verb: str) -> Change:
    """The connector's way to do it; one that is missing was refused when the file was read."""
    if change is None:
        raise Failure("schema", f"{table.name}: the connector has no way to {verb}")
    return change
