"""De-identify: what each column becomes, and whether a row still holds what its strategies would replace."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from services.fulfillment.adapters.sql.conditions import Condition
from services.fulfillment.adapters.sql.nested.inside import Inside, spelt, tree_of, values_at
from services.fulfillment.adapters.sql.nested.way import Path, ThroughArrays
from services.fulfillment.adapters.sql.tables import MappedTable
from services.fulfillment.datamap.model import MapField
from services.fulfillment.datamap.replacing import (
    HASHED,
    OWN_TO_A_ROW,
    constant,
    in_place_of,
    strategy,
    tells,
)

PLACES_AT_ONCE: Final = 20
"""Values in one column of JSON that one statement replaces, each in its own place."""


def replacements(table: MappedTable) -> dict[str, Any]:
    """The columns that are treated the same in every row."""
    own = {f.name: constant(f) for f in _same(table) if not f.steps}
    for column, fields in _in_columns([f for f in _same(table) if f.steps]).items():
        inside = [_inside(table, each) for each in fields]
        tree = tree_of([(i.names, constant(f)) for i, f in zip(inside, fields, strict=True)])
        if isinstance(way := inside[0].way, ThroughArrays):  # as all of these are
            own[column] = way.replaced(inside[0].column, tree)
    return own


def identifying(table: MappedTable) -> Condition:
    """The row still holds something that its strategy would replace."""
    tests: list[Condition] = []
    for field in filter(tells, table.collection.deidentified):
        spot = table.spot(field.name)
        if isinstance(spot, Inside):
            tests.append(spot.any(partial(_points, field, spelt(constant(field)))))
        else:
            tests.append(_points(field, constant(field), spot))
    return sa.or_(sa.false(), *tests)


def own_to_a_row(table: MappedTable) -> list[MapField]:
    """The fields whose replacement depends on their value, or on the place where that stands."""
    return [field for field in table.collection.deidentified if not _is_same(table, field)]


def read_for(table: MappedTable) -> list[sa.ColumnElement[Any]]:
    """The columns that have to be read for that."""
    fields = own_to_a_row(table)
    inside = (_inside(table, each[0]) for each in _in_columns([f for f in fields if f.steps]).values())
    return [*(table.column(f.name) for f in fields if not f.steps), *(one.document for one in inside)]


def changes_of(table: MappedTable, row: sa.RowMapping, hash_key: bytes) -> Iterator[dict[str, Any]]:
    """What one row becomes, statement by statement; most rows need one."""
    single = own_to_a_row(table)
    own = {f.name: in_place_of(f, row[f.name], hash_key) for f in single if not f.steps}
    changes = {**replacements(table), **own}
    later: list[dict[str, Any]] = []
    for column in _in_columns([f for f in single if f.steps]):
        changes.pop(column, None)
        first, *rest = list(_placed(table, column, row[column], hash_key)) or [None]
        changes |= {column: first} if first is not None else {}
        later += [{column: each} for each in rest]
    yield from [changes, *later] if changes else later


def _placed(table: MappedTable, column: str, document: Any, hash_key: bytes) -> Iterator[Any]:
    """The column with its nested values replaced, each in its place and some at a time."""
    fields = [f for f in table.collection.deidentified if f.steps and f.outermost == column]
    found: list[tuple[Path, Any]] = [
        (path, in_place_of(f, value, hash_key) if strategy(f) in OWN_TO_A_ROW else constant(f))
        for f in fields
        for path, value in values_at(document, f.steps[1:])
    ]
    inside = _inside(table, fields[0])
    for start in range(0, len(found), PLACES_AT_ONCE):
        yield inside.way.replaced_at(inside.column, found[start : start + PLACES_AT_ONCE])


def _points(field: MapField, replacement: Any, value: sa.ColumnElement[Any]) -> Condition:
    if strategy(field) == "keyed_hash":
        return sa.and_(value.is_not(None), ~value.startswith(HASHED, autoescape=True))
    return value.is_distinct_from(replacement)


def _same(table: MappedTable) -> list[MapField]:
    return [field for field in table.collection.deidentified if _is_same(table, field)]


def _is_same(table: MappedTable, field: MapField) -> bool:
    placed = bool(field.steps) and not isinstance(_inside(table, field).way, ThroughArrays)
    return strategy(field) not in OWN_TO_A_ROW and not placed


def _in_columns(fields: Sequence[MapField]) -> dict[str, list[MapField]]:
    found: dict[str, list[MapField]] = {}
    for each in fields:
        found.setdefault(each.outermost, []).append(each)
    return found


def _inside(table: MappedTable, field: MapField) -> Inside:
    return table.inside[field.name]
