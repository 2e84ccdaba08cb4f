"""Nested fields of a map: in a system that keeps documents each innermost one is a column, called by its path."""

from collections.abc import Iterator, Mapping
from typing import Any

from fideslang.models import Dataset, DatasetField


def columns_of(field: DatasetField, *, nested: bool, above: str = "") -> Iterator[tuple[str, DatasetField]]:
    """The field under its own name, and with `nested` every field below it under its path."""
    column = f"{above}{field.name}"
    yield column, field
    for inner in (field.fields or ()) if nested else ():
        yield from columns_of(inner, nested=True, above=f"{column}.")


def written_columns(node: Mapping[str, Any], *, nested: bool, above: str = "") -> Iterator[str]:
    """The columns as they were written: the outermost names, or with `nested` the innermost paths."""
    for each in node["fields"]:
        column = f"{above}{each['name']}"
        if nested and each.get("fields"):
            yield from written_columns(each, nested=True, above=f"{column}.")
        else:
            yield column


def field_at(node: Mapping[str, Any], column: str) -> Mapping[str, Any]:
    """What was written of a column."""
    name, _, rest = column.partition(".")
    for each in node["fields"]:
        if each["name"] == column:
            return dict(each)
        if each["name"] == name and rest:
            return field_at(each, rest)
    raise KeyError(column)


def nested_warnings(dataset: Dataset) -> Iterator[str]:
    """What a nested field says that only systems of documents can do."""
    for collection in dataset.collections:
        for outer in collection.fields:
            for column, field in list(columns_of(outer, nested=True))[1:]:
                meta = field.fides_meta
                if meta and (meta.identity or meta.references):
                    yield (
                        f"collections.{collection.name}.fields.{column}: is nested, "
                        "and nothing is looked for there in a system of this kind"
                    )
