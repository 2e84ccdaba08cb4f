"""A row that newer or foreign rows still refer to is not ours to erase; known before anything is begun."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.fulfillment.datamap.graph import child_and_parent
from services.fulfillment.datamap.model import MapCollection, Place
from services.fulfillment.ports import Frozen, Key
from services.fulfillment.rowwise.reading import Table, Tables
from services.fulfillment.rowwise.rows import Row, RowFailure

# Beside the person's own: who reads of so many rows that are not theirs need not read on.
MOST_OF_OTHERS = 10_000

Held = Mapping[str, Mapping[Key, Row]]


async def refuse_orphans(tables: Tables, frozen: Frozen, held: Held, cut_off: datetime) -> None:
    """Look at every reference to a row that is about to go.

    Raises:
        RowFailure: a row that stays, or a newer one, would refer to nothing.
    """
    references = (child_and_parent(reference, tables.datamap) for reference in tables.datamap.references)
    for child, parent in references:
        erased = parent.collection in held and _erases(tables[parent.collection].collection)
        values = [row[parent.field] for row in held.get(parent.collection, {}).values()]
        if erased and values and tables[child.collection].found_by(child.field):
            rows = await _referring(tables[child.collection], (child, parent), values, frozen)
            _refuse(tables[child.collection], (child, parent), rows, (frozen, cut_off))


async def _referring(
    table: Table, places: tuple[Place, Place], values: Sequence[object], frozen: Frozen
) -> Sequence[Row]:
    child, parent = places
    most = len(frozen.rows.get(child.collection, ())) + MOST_OF_OTHERS
    try:
        return await table.having(child.field, values, most=most)
    except RowFailure as failure:
        if failure.meaning == "unbounded":
            raise _referred_to(child, parent) from None
        raise


def _refuse(
    table: Table, places: tuple[Place, Place], rows: Sequence[Row], bounds: tuple[Frozen, datetime]
) -> None:
    child, parent = places
    frozen, cut_off = bounds
    own = {tuple(map(str, key)) for key in frozen.rows.get(child.collection, ())}
    released = _erases(table.collection) or child.field in {f.name for f in table.collection.deidentified}
    mine = [row for row in rows if tuple(map(str, table.shape.key_of(row))) in own]
    if len(mine) < len(rows) or (mine and not released):
        raise _referred_to(child, parent)
    if any(not table.shape.until(row, cut_off) for row in mine):
        raise RowFailure("refused", f"newer rows of {child.collection} refer to {parent.collection}")


def _referred_to(child: Place, parent: Place) -> RowFailure:
    reason = f"rows of {parent.collection} are referred to by other rows of {child.collection}"
    return RowFailure("refused", reason)


def _erases(collection: MapCollection) -> bool:
    return collection.treatment == "erase"
