"""What only the whole map can tell: references to nowhere, tables no one leads to, rows owned by a row."""

from collections.abc import Iterator
from dataclasses import replace

from services.fulfillment.datamap.disputes import uncorrectable
from services.fulfillment.datamap.graph import child_and_parent, plan_walk
from services.fulfillment.datamap.model import DataMap, MapCollection, MapField, Place
from services.fulfillment.datamap.remedies import instead


def settle_treatments(datamap: DataMap) -> DataMap:
    """A table without personal columns is a person's where it hangs on one: order lines on an order."""
    owned = {name for name, collection in datamap.collections.items() if collection.treatment != "keep"}
    links = [
        child_and_parent(reference, datamap)
        for reference in datamap.references
        if _exists(datamap, reference.referenced)
    ]
    grown = True
    while grown:
        more = {child.collection for child, parent in links if parent.collection in owned} - owned
        owned |= more
        grown = bool(more)
    collections = {name: _owned(c) if name in owned else c for name, c in datamap.collections.items()}
    return replace(datamap, collections=collections)


def problems_of(datamap: DataMap) -> Iterator[str]:
    """Everything that makes the map unusable."""
    yield from _references_to_nowhere(datamap)
    yield from _nobody_found(datamap)
    for collection in datamap.collections.values():
        yield from _unknown_columns(collection)
        yield from _contradictions(collection)
        yield from uncorrectable(datamap, collection)


def warnings_of(datamap: DataMap) -> Iterator[str]:
    """What works, but perhaps not as meant."""
    plan = plan_walk(datamap, {kind for kind, _ in datamap.identities()})
    for name in plan.unreached:
        yield f"collections.{name}: no identity leads here, so nothing in it is ever found"
    for reference in datamap.references:
        child, parent = child_and_parent(reference, datamap)
        kept = datamap.collections[child.collection].treatment in {"retain", "deidentify"}
        if kept and datamap.collections[parent.collection].treatment == "erase":
            keeper = f"{child.collection}.{child.field}"
            yield f"collections.{parent.collection}: is erased while {keeper}, which is kept, refers to it"


def _owned(collection: MapCollection) -> MapCollection:
    if collection.treatment != "keep" or collection.personal is False:
        return collection
    return replace(collection, treatment="erase")


def _exists(datamap: DataMap, place: Place) -> bool:
    collection = datamap.collections.get(place.collection)
    return collection is not None and place.field in collection.fields


def _references_to_nowhere(datamap: DataMap) -> Iterator[str]:
    for holder, referenced in ((r.holder, r.referenced) for r in datamap.references):
        if not _exists(datamap, referenced):
            place = f"collections.{holder.collection}.fields.{holder.field}"
            yield f"{place}: {_nowhere(datamap, referenced)}"
    for collection in datamap.collections.values():
        for name in collection.erase_after:
            if name not in datamap.collections:
                yield f"collections.{collection.name}.fides_meta.erase_after: {name} is not in the map"


def _nobody_found(datamap: DataMap) -> Iterator[str]:
    """A map that holds people and finds none would have everybody told that nothing is held of them."""
    holding = {name for name, collection in datamap.collections.items() if collection.treatment != "keep"}
    if not holding or not all(_exists(datamap, reference.referenced) for reference in datamap.references):
        return
    plan = plan_walk(datamap, {kind for kind, _ in datamap.identities()})
    if holding <= set(plan.unreached):
        yield (
            "collections: no identity leads to any of them, so that nobody would ever be found: say of a column what "
            "a person is known by in it, fides_meta: {identity: email}"
        )


def _nowhere(datamap: DataMap, to: Place) -> str:
    """A reference that does not arrive, and what may have been meant."""
    collection = datamap.collections.get(to.collection)
    if not to.field:
        return f"refers to {to.collection!r}: name a collection and its field, such as people.id"
    remedy = (
        instead(to.collection, datamap.collections, "its collections")
        if collection is None
        else instead(to.field, collection.fields, f"the columns of {to.collection}")
    )
    return f"refers to {to.collection}.{to.field}, which the map lacks; {remedy}"


def _unknown_columns(collection: MapCollection) -> Iterator[str]:
    named = {
        "created_at": collection.created_at.field if collection.created_at else None,
        "opt_out": collection.opt_out.field if collection.opt_out else None,
        "limit": collection.limit.field if collection.limit else None,
        **{f"where.{column}": column for column in collection.where or {}},
    }
    for key, column in named.items():
        if column is not None and column not in collection.fields:
            remedy = instead(column, collection.fields)
            yield f"collections.{collection.name}.fides_meta.habeas.{key}: the map has no column {column!r}; {remedy}"


def _is(field: MapField, strategy: str) -> bool:
    return field.deidentify is not None and field.deidentify.strategy == strategy


def _contradictions(collection: MapCollection) -> Iterator[str]:
    place = f"collections.{collection.name}"
    for field in collection.fields.values():
        if field.deidentify and field.primary_key:
            yield f"{place}.fields.{field.name}: a primary key cannot be de-identified"
        if field.deidentify and field.deidentify.strategy == "constant" and field.deidentify.value is None:
            yield f"{place}.fields.{field.name}: the strategy 'constant' needs a value"
        if _is(field, "random") and not any(_is(other, "constant") for other in collection.deidentified):
            yield (
                f"{place}.fields.{field.name}: nobody can tell a random value from the one that it replaced: give "
                "another column of the table the strategy 'constant', which says that the row was treated"
            )
        if field.retention and collection.treatment == "erase":
            yield f"{place}.fields.{field.name}: is retained, yet its row is erased: say what to de-identify"
