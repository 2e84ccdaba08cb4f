"""No key in a dataset file goes unread: what Fideslang would ignore is refused here, by name and place."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from fideslang.default_taxonomy import DEFAULT_TAXONOMY
from fideslang.models import (
    CollectionMeta,
    Dataset,
    DatasetCollection,
    DatasetField,
    DatasetMetadata,
    FidesMeta,
)
from pydantic import BaseModel

from services.fulfillment.datamap.remedies import instead

# Keys that older Fideslang maps still carry and that the library itself has dropped.
_BYGONE = frozenset(
    {
        "data_qualifier",
        "joint_controller",
        "retention",
        "third_country_transfers",
        "fidesctl_meta",
        "fidesops_meta",
    }
)
_META: dict[type[BaseModel], type[BaseModel]] = {
    Dataset: DatasetMetadata,
    DatasetCollection: CollectionMeta,
    DatasetField: FidesMeta,
}
_CATEGORIES = frozenset(str(each.fides_key) for each in DEFAULT_TAXONOMY.data_category)


Unknown = tuple[str, str, str]


def unknown_keys(dataset: Mapping[str, Any]) -> Iterator[Unknown]:
    """Give the place and the name of each key that neither Fideslang nor we know, and what may have been meant."""
    yield from _level(dataset, Dataset, "")
    for collection in _listed(dataset, "collections"):
        place = f"collections.{collection.get('name', '?')}"
        yield from _level(collection, DatasetCollection, place)
        yield from _fields(collection, place)


def unknown_categories(dataset: Mapping[str, Any]) -> Iterator[str]:
    """Categories that are none of Fideslang's: a business may have its own, and a slip makes a column nobody's."""
    for place, stated in _categories(dataset, ""):
        for category in stated if isinstance(stated, list) else ():
            if str(category) not in _CATEGORIES:
                near = get_close_matches(str(category), _CATEGORIES, n=1)
                meant = f"; did you mean {near[0]}?" if near else ""
                yield f"{place}data_categories: {category} is none of Fideslang's{meant}"


def _categories(node: Mapping[str, Any], place: str) -> Iterator[tuple[str, Any]]:
    yield place, node.get("data_categories")
    for kind in ("collections", "fields"):
        for inner in _listed(node, kind):
            yield from _categories(inner, f"{place}{kind}.{inner.get('name', '?')}.")


def fides_meta(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The node's `fides_meta`, under its present or its former name; empty where there is none."""
    meta = node.get("fides_meta") or node.get("fidesops_meta")
    return meta if isinstance(meta, Mapping) else {}


def _fields(parent: Mapping[str, Any], place: str) -> Iterator[Unknown]:
    for each in _listed(parent, "fields"):
        inner = f"{place}.fields.{each.get('name', '?')}"
        yield from _level(each, DatasetField, inner)
        yield from _fields(each, inner)


def _level(node: Mapping[str, Any], model: type[BaseModel], place: str) -> Iterator[Unknown]:
    yield from _unknown(node, set(model.model_fields), place)
    known_meta = set(_META[model].model_fields) | ({"habeas"} if model is not Dataset else set())
    meta_place = f"{place}.fides_meta".lstrip(".")
    yield from _unknown(fides_meta(node), known_meta, meta_place)


def _unknown(node: Mapping[str, Any], known: set[str], place: str) -> Iterator[Unknown]:
    for key in map(str, node):
        if key not in known | _BYGONE:
            yield place, key, instead(key, known)


def _listed(node: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    items = node.get(key)
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
