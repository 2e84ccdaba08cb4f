"""Nested fields of a map: where rows hold documents each innermost one is a column, called by its path.

MongoDB, Redis and search stores hold nothing else; a database has columns of JSON, and a JSONL file lines of it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from fideslang.models import Dataset, DatasetField

Steps: TypeAlias = tuple[str, ...]
"""The way to a field: the outermost column, and the names inside it."""

UNSAYABLE: Final = ('"', "\\")
"""What no name inside a document may hold: each database has a way of its own to write it in a path."""

_OF_A_VALUE: Final = ("identity", "references", "primary_key", "masking_strategy_override")
_OURS_OF_A_VALUE: Final = ("category", "match", "withheld", "shown_because", "retention", "deidentify")


def columns_of(field: DatasetField, above: Steps = ()) -> Iterator[tuple[Steps, DatasetField]]:
    """The field under its own name, and every field below it under its path."""
    steps = (*above, field.name)
    yield steps, field
    for inner in field.fields or ():
        yield from columns_of(inner, steps)


def written_columns(node: Mapping[str, Any], *, nested: bool, above: Steps = ()) -> Iterator[Steps]:
    """The columns as they were written: the outermost names, or with `nested` the innermost paths."""
    for each in node["fields"]:
        steps = (*above, each["name"])
        if nested and each.get("fields"):
            yield from written_columns(each, nested=True, above=steps)
        else:
            yield steps


def field_at(node: Mapping[str, Any], steps: Steps) -> Mapping[str, Any]:
    """What was written of a column."""
    for name in steps:
        node = next(each for each in node["fields"] if each["name"] == name)
    return node


def nested_problems(raw: Mapping[str, Any]) -> Iterator[str]:
    """What nobody would read: words on a value that has only parts, and names that no path can hold."""
    for collection in raw["collections"]:
        for place, field in _with_parts(collection, f"collections.{collection['name']}"):
            meta = field.get("fides_meta") or field.get("fidesops_meta") or {}
            said = [*(key for key in _OF_A_VALUE if meta.get(key)), *_ours(meta.get("habeas"))]
            if said:
                yield f"{place}: has fields of its own: say {', '.join(said)} of these"
            for name in (each["name"] for each in field["fields"]):
                if any(mark in name for mark in UNSAYABLE):
                    yield f"{place}.fields: a name inside it holds a quotation mark or a backslash"


def nested_warnings(dataset: Dataset) -> Iterator[str]:
    """What a nested field says that this kind of system cannot do."""
    for collection in dataset.collections:
        for outer in collection.fields:
            for steps, field in list(columns_of(outer))[1:]:
                meta = field.fides_meta
                if meta and (meta.identity or meta.references):
                    yield (
                        f"collections.{collection.name}.fields.{'.'.join(steps)}: is nested, "
                        "and nothing is looked for there in a system of this kind"
                    )


def _with_parts(node: Mapping[str, Any], place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for each in node["fields"]:
        if each.get("fields"):
            inner = f"{place}.fields.{each['name']}"
            yield inner, each
            yield from _with_parts(each, inner)


def _ours(said: object) -> list[str]:
    return [key for key in _OURS_OF_A_VALUE if key in said] if isinstance(said, Mapping) else []
