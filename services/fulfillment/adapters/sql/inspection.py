"""Check: does the database look as its map says, and does it hold anything personal that the map forgot?"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.looking import look_inside
from services.fulfillment.adapters.sql.nested.inside import dialect_of
from services.fulfillment.adapters.sql.tables import Link, Reflection, closed_in, drift_of, reflect
from services.fulfillment.datamap.disputes import notes_of
from services.fulfillment.datamap.graph import child_and_parent
from services.fulfillment.datamap.model import DataMap, Place
from services.fulfillment.datamap.spelling import PERSONAL_NAME
from services.fulfillment.ports import CheckReport, Drift


async def inspect_schema(connection: AsyncConnection, datamap: DataMap) -> CheckReport:
    """Compare the whole schema with the map."""
    seen = await connection.run_sync(lambda sync: reflect(sync, datamap, names=None))
    inside = await look_inside(connection, datamap, seen)
    drift = [
        *drift_of(datamap, seen),
        *closed_in(datamap, seen, dialect_of(connection)),
        *_of_other_types(datamap, seen),
        *_without_a_way_out(datamap, seen),
        *_forgotten(datamap, seen),
        *inside.drift,
    ]
    notes = (*notes_of(datamap), *_cascades(datamap, seen), *inside.notes)
    return CheckReport(reachable=True, credentials=True, drift=tuple(drift), notes=notes)


def _forgotten(datamap: DataMap, seen: Reflection) -> Iterator[Drift]:
    for table, columns in sorted(seen.columns.items()):
        collection = datamap.collections.get(table)
        known = collection.outermost if collection else ()
        yield from (
            Drift(table, c, "unmapped") for c in columns if c not in known and PERSONAL_NAME.search(c)
        )


def _cascades(datamap: DataMap, seen: Reflection) -> Iterator[str]:
    """A cascade deletes rows that nobody counted, perhaps newer than the cut-off."""
    for link, on_delete in seen.foreign_keys:
        parent = datamap.collections.get(link.parent)
        erased = parent is not None and parent.treatment == "erase"
        if erased and link.child not in datamap.collections and on_delete.upper() in {"CASCADE", "SET NULL"}:
            yield f"deleting from {link.parent} changes {link.child} ({on_delete}), which the map lacks"


def _of_other_types(datamap: DataMap, seen: Reflection) -> Iterator[Drift]:
    """Columns that a database would not compare with what the map compares them with."""
    for reference in datamap.references:
        child, parent = child_and_parent(reference, datamap)
        kinds = {_family(child, seen), _family(parent, seen)} - {None}
        if len(kinds) > 1:
            yield Drift(child.collection, child.field, "wrong_type")
    for _, place in datamap.identities():
        if _family(place, seen) in {"time", "flag", "other"}:
            yield Drift(place.collection, place.field, "wrong_type")
    for collection in datamap.collections.values():
        created = collection.created_at
        place = Place(collection.name, created.field if created else "")
        if (
            created
            and created.format == "native"
            and _family(place, seen) in {"number", "flag", "id", "other"}
        ):
            yield Drift(*place, "wrong_type")


def _family(place: Place, seen: Reflection) -> str | None:
    """What a column's values can be compared with; None for what nobody can tell."""
    kind = seen.columns.get(place.collection, {}).get(place.field)
    if kind is None or isinstance(kind, sa.types.NullType | sa.types.UserDefinedType):
        return None
    return _FAMILIES.get(_python_type(kind), "time" if isinstance(kind, sa.Date | sa.DateTime) else None)


def _python_type(kind: sa.types.TypeEngine[Any]) -> type | None:
    try:
        return kind.python_type
    except NotImplementedError:
        return None


_FAMILIES: dict[type | None, str] = {
    int: "number",
    float: "number",
    Decimal: "number",
    str: "text",
    UUID: "id",
    bool: "flag",
    dict: "other",
    list: "other",
    object: "other",
}


def _without_a_way_out(datamap: DataMap, seen: Reflection) -> Iterator[Drift]:
    """Tables to erase whose rows must point at each other at all times: no order of deletions is allowed."""
    erased = {name for name, one in datamap.collections.items() if one.treatment == "erase"}
    tight = [link for link, _ in seen.foreign_keys if _is_tight(link, erased, seen)]
    for link in sorted(tight, key=lambda one: (one.child, one.pairs)):
        if link.child in _above({link.parent}, tight):
            yield Drift(link.child, link.pairs[0][0], "no_way_out")


def _is_tight(link: Link, erased: set[str], seen: Reflection) -> bool:
    loose = link in seen.deferrable or all((link.child, own) in seen.nullable for own, _ in link.pairs)
    return {link.child, link.parent} <= erased and link.child != link.parent and not loose


def _above(names: set[str], links: list[Link]) -> set[str]:
    found = set(names)
    while more := {link.parent for link in links if link.child in found} - found:
        found |= more
    return found
