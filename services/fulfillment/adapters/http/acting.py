"""Act: read first, refuse what is not ours to touch, then request by request, children before parents.

An interface over HTTP has no transaction: what cannot be done wholly is done so that a second attempt, bound to the
same ids and the same keys, does only what is left.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.fulfillment.adapters.http.changing import Changing, Effects
from services.fulfillment.adapters.http.connector import Change
from services.fulfillment.adapters.http.failures import Failure
from services.fulfillment.adapters.http.rows import Row, same
from services.fulfillment.adapters.http.tables import Table, Tables
from services.fulfillment.datamap.flags import flag_of
from services.fulfillment.datamap.graph import child_and_parent, deletion_order, map_links
from services.fulfillment.datamap.model import MapField, Place
from services.fulfillment.datamap.replacing import HASHED, constant, keyed_hash, strategy
from services.fulfillment.ports import RIGHTS_OF_OTHERS, DatasetCount, Frozen, Key, Retained

MOST_REFERRING = 10_000

Held = Mapping[str, Mapping[Key, Row]]


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
        await self._refuse_orphans(frozen, held, order)
        for name in order:
            await self._treat(self._tables[name], held.get(name, {}))
        return tuple(count for name in order if (count := self._counted(name, frozen, held)))

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
            if identifying(table, row):
                changes = {f.name: self._replaced(f, row) for f in table.collection.deidentified}
                await changing.run([key], self._effects, changes=changes)

    def _replaced(self, field: MapField, row: Row) -> Any:
        if strategy(field) == "keyed_hash":
            return keyed_hash(field, row.get(field.name), self._bounds.hash_key)
        return constant(field)

    def _counted(self, name: str, frozen: Frozen, held: Held) -> DatasetCount | None:
        collection, done = self._tables[name].collection, self._effects.done.get(name, 0)
        shared = len(frozen.shared.get(name, ()))
        retained = [Retained(RIGHTS_OF_OTHERS, shared)] if shared else []
        left = len(held.get(name, {}))
        retained += [Retained(exemption, left) for exemption in collection.exemptions if left]
        match collection.treatment:
            case "erase":
                return DatasetCount(name, erased=done, retained=tuple(retained))
            case "deidentify":
                return DatasetCount(name, deidentified=done, retained=tuple(retained))
            case "retain":
                return DatasetCount(name, retained=tuple(retained))
        return None

    async def _refuse_orphans(self, frozen: Frozen, held: Held, order: Sequence[str]) -> None:
        """A row that newer or foreign rows still refer to is not ours to erase; known before anything is begun."""
        datamap = self._tables.datamap
        for child, parent in (child_and_parent(reference, datamap) for reference in datamap.references):
            erased = parent.collection in order and self._erases(parent.collection)
            if erased and self._tables[child.collection].found_by(child.field):
                await self._refuse_orphans_of(child, parent, frozen, held)

    async def _refuse_orphans_of(self, child: Place, parent: Place, frozen: Frozen, held: Held) -> None:
        values = [row[parent.field] for row in held.get(parent.collection, {}).values()]
        if not values:
            return
        table = self._tables[child.collection]
        own = {tuple(map(str, key)) for key in frozen.rows.get(child.collection, ())}
        released = self._erases(child.collection) or child.field in {
            field.name for field in table.collection.deidentified
        }
        rows = await table.having(child.field, values, most=MOST_REFERRING)
        mine = [row for row in rows if tuple(map(str, table.shape.key_of(row))) in own]
        if len(mine) < len(rows) or (mine and not released):
            raise Failure(
                "refused", f"rows of {parent.collection} are referred to by other rows of {child.collection}"
            )
        if any(not table.shape.until(row, self._bounds.cut_off) for row in mine):
            raise Failure("refused", f"newer rows of {child.collection} refer to {parent.collection}")

    def _erases(self, name: str) -> bool:
        return self._tables[name].collection.treatment == "erase"


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


def identifying(table: Table, row: Row) -> bool:
    """The row still holds something that its strategy would replace."""
    return any(_identifies(field, row.get(field.name)) for field in table.collection.deidentified)


def needed(change: Change | None, table: Table, verb: str) -> Change:
    """The connector's way to do it; one that is missing was refused when the file was read."""
    if change is None:
        raise Failure("schema", f"{table.name}: the connector has no way to {verb}")
    return change


def _identifies(field: MapField, value: Any) -> bool:
    if strategy(field) == "keyed_hash":
        return value is not None and not str(value).startswith(HASHED)
    return not same(value, constant(field))
