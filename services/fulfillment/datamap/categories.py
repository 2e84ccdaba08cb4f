"""The categories answer: from what the map says of every column, for the tables in which rows are held."""

from collections.abc import Iterable

from services.fulfillment.datamap.model import DataMap, MapField
from services.fulfillment.ports import CategoryHeld, Frozen


def categories_held(datamap: DataMap, frozen: Frozen) -> tuple[CategoryHeld, ...]:
    """What must be listed under Civ. Code 1798.110, .115 and .130(a), individualised by the rows held."""
    fields = [
        field
        for name, keys in frozen.rows.items()
        if keys and name in datamap.collections
        for field in datamap.collections[name].fields.values()
        if field.category
    ]
    names = sorted({field.category for field in fields if field.category})
    return tuple(_held(name, [field for field in fields if field.category == name]) for name in names)


def _held(category: str, fields: list[MapField]) -> CategoryHeld:
    return CategoryHeld(
        category=category,
        sources=_distinct(f.provenance.source for f in fields),
        purposes=_distinct(f.provenance.purpose for f in fields),
        disclosed_to=_distinct(to for f in fields for to in f.provenance.disclosed_to),
        sold_or_shared_to=_distinct(to for f in fields for to in f.provenance.sold_or_shared_to),
    )


def _distinct(words: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({word for word in words if word}))
