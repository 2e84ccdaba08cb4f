"""Rows out of documents: a nested value is a column called by its path, and an array's values stand in a list."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.fulfillment.rowwise.rows import Row, RowFailure, RowShape

DOCUMENT = "\0document"
"""Under this name a row carries what it was made of, so that a change can be bound to it."""

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class DocumentShape(RowShape):
    """How documents of one collection are read; `complete` ones have every column of the map."""

    complete: bool = False

    def row(self, document: Mapping[str, Any]) -> Row:
        """The document's columns; one that is not there has no entry.

        Raises:
            RowFailure: it lacks a column, although all of its collection are said to be complete.
        """
        found = {name: value_at(document, name) for name in self.collection.fields}
        missing = [name for name, value in found.items() if value is _ABSENT]
        if missing and self.complete:
            raise RowFailure("schema", f"{self.collection.name}.{min(missing)} is missing")
        return {DOCUMENT: document, **{name: v for name, v in found.items() if v is not _ABSENT}}


def value_at(document: Mapping[str, Any], column: str) -> Any:
    """What stands at a path: one value, or a list of all where the path goes through an array."""
    if column in document:
        return document[column]
    found = list(_values(document, column.split(".")))
    if _through_array(document, column.split(".")):
        return found
    return found[0] if found else _ABSENT


def with_nested(document: Mapping[str, Any], columns: Iterable[str]) -> Row:
    """The document's own columns, and these nested ones as far as they are there."""
    found = {column: value_at(document, column) for column in columns}
    return {**document, **{name: value for name, value in found.items() if value is not _ABSENT}}


def columns_in(document: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The paths of all innermost values."""
    for name, value in document.items():
        column = f"{above}{name}"
        inner = value if isinstance(value, list) else [value]
        objects = [each for each in inner if isinstance(each, Mapping)]
        for each in objects:
            yield from columns_in(each, f"{column}.")
        if not objects:
            yield column


def changed(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The outermost values that become others when these columns do; a path that is not there is made."""
    after = dict(document)
    for column, value in changes.items():
        if "." not in column or column in document:
            after[column] = value
        elif value_at(after, column) is _ABSENT:
            after = _made(after, column.split("."), value)
        else:
            values = iter(value) if isinstance(value, list) else _for_ever(value)
            after = _put(after, column.split("."), values)
    return {name: value for name, value in after.items() if name not in document or document[name] != value}


def _values(node: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(node, list):
        for each in node:
            yield from _values(each, path)
    elif not path:
        yield node
    elif isinstance(node, Mapping) and path[0] in node:
        yield from _values(node[path[0]], path[1:])


def _through_array(node: Any, path: list[str]) -> bool:
    if isinstance(node, list):
        return True
    return bool(path) and isinstance(node, Mapping) and _through_array(node.get(path[0]), path[1:])


def _put(node: Any, path: list[str], values: Iterator[Any]) -> Any:
    """The same structure with the next of the values wherever the path ends."""
    if isinstance(node, list):
        return [_put(each, path, values) for each in node]
    if not path:
        return next(values)
    if isinstance(node, Mapping) and path[0] in node:
        return {**node, path[0]: _put(node[path[0]], path[1:], values)}
    return node


def _made(node: Any, path: list[str], value: Any) -> Any:
    """The same structure with a new value at the path; what is there and no object is left as it is."""
    if not path:
        return value
    if node is not None and not isinstance(node, Mapping):
        return node
    inner = dict(node or {})
    return {**inner, path[0]: _made(inner.get(path[0]), path[1:], value)}


def _for_ever(value: Any) -> Iterator[Any]:
    while True:
        yield value
