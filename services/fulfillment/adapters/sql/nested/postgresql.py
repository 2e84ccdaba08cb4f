"""PostgreSQL: jsonb, and json by way of it; paths in its own JSON path language."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON, JSONB

from services.fulfillment.adapters.sql.nested.way import Constant, Json, Path, Tree, Values, word

_EMPTY: Json = sa.literal_column("'{}'::jsonb", JSONB)
_NOTHING: Json = sa.literal_column("'[]'::jsonb", JSONB)


class Postgresql:
    """The way of PostgreSQL."""

    def opens(self, kind: sa.types.TypeEngine[Any]) -> bool:
        return isinstance(kind, JSON)

    def values(self, column: Json, names: Sequence[str]) -> Values:
        found = sa.func.jsonb_path_query(_jsonb(column), _path(names))
        rows = found.table_valued(sa.column("value", JSONB), joins_implicitly=True).render_derived()
        return Values((rows,), _text(rows.c.value))

    def listed(self, column: Json, names: Sequence[str]) -> Json:
        every = sa.func.jsonb_path_query_array(_jsonb(column), _path(names), type_=JSONB)
        return sa.func.coalesce(
            _at(column, names), sa.func.nullif(every, _NOTHING, type_=JSONB), type_=JSONB()
        )

    def is_not(self, column: Json, names: Sequence[str], value: Any) -> sa.ColumnElement[bool]:
        return _at(column, names).is_distinct_from(_json(value))

    def put(self, column: Json, names: Sequence[str], value: Any) -> Json:
        return _as(column, _put(_jsonb(column), names, value))

    def replaced(self, column: Json, tree: Tree) -> Json:
        return _as(column, sa.case((column.is_not(None), _through(_jsonb(column), tree))))

    def replaced_at(self, column: Json, values: Sequence[tuple[Path, Any]]) -> Json:
        after = _jsonb(column)
        for path, value in values:
            after = _set(after, [str(step) for step in path], _json(value), create=False)
        return _as(column, after)

    def unreadable(self, column: Json) -> sa.ColumnElement[bool]:
        del column
        return sa.false()


def _put(node: Json, names: Sequence[str], value: Any) -> Json:
    """A value that is there and no object is left as it is: what it means is for a person to say."""
    first, *rest = names
    inner = _put(node.op("->")(word(first)), rest, value) if rest else _json(value)
    kind = sa.func.jsonb_typeof(node)
    base = sa.case((kind == word("object"), node), else_=_EMPTY)
    fits = sa.or_(node.is_(None), kind.in_((word("object"), word("null"))))
    return sa.case((fits, _set(base, [first], inner, create=True)), else_=node)


def _through(node: Json, after: Constant | Tree) -> Json:
    """A value, or each one of an array, as it is afterwards."""
    if isinstance(after, Constant):
        each = sa.func.jsonb_array_elements(node).table_valued("value")
        some = sa.func.coalesce(sa.func.jsonb_agg(_json(after.value)), _NOTHING)
        every = sa.select(some).select_from(each).correlate_except(each)
        return sa.case((_is_array(node), every.scalar_subquery()), else_=_json(after.value))
    return _objects(node, after)


def _objects(node: Json, tree: Mapping[str, Constant | Tree]) -> Json:
    alone = sa.func.jsonb_build_array(node, type_=JSONB)
    elements = sa.case((_is_array(node), node), else_=alone)
    rows = (
        sa.func.jsonb_array_elements(elements)
        .table_valued(sa.column("value", JSONB), with_ordinality="place", joins_implicitly=True)
        .render_derived()
    )
    after: Json = rows.c.value
    for name, inner in tree.items():
        after = _set(after, [name], _through(rows.c.value.op("->")(word(name)), inner), create=False)
    is_object = sa.func.jsonb_typeof(rows.c.value) == word("object")
    each = sa.case((is_object, after), else_=rows.c.value)
    every = sa.func.jsonb_agg(sa.dialects.postgresql.aggregate_order_by(each, rows.c.place), type_=JSONB)
    every = sa.func.coalesce(every, _NOTHING, type_=JSONB())
    place = sa.case(
        (_is_array(node), sa.literal_column("'{}'::text[]")), else_=sa.literal_column("'{0}'::text[]")
    )
    whole = every.op("#>")(place)
    return sa.select(whole).select_from(rows).correlate_except(rows).scalar_subquery()


def _set(node: Json, path: Sequence[str], value: Json, *, create: bool) -> Json:
    made = sa.true() if create else sa.false()
    return sa.func.jsonb_set(node, _steps(path), value, made, type_=JSONB)


def _is_array(node: Json) -> sa.ColumnElement[bool]:
    return sa.func.jsonb_typeof(node) == word("array")


def _at(column: Json, names: Sequence[str]) -> Json:
    return sa.type_coerce(_jsonb(column).op("#>")(_steps(names)), JSONB())


def _steps(path: Sequence[str]) -> Json:
    said = ",".join(f'"{step}"' for step in path).replace("'", "''")
    return sa.literal_column(f"'{{{said}}}'::text[]")


def _text(value: Json) -> sa.ColumnElement[str]:
    return sa.type_coerce(value.op("#>>")(sa.literal_column("'{}'")), sa.Text())


def _jsonb(column: Json) -> Json:
    return column if isinstance(column.type, JSONB) else sa.cast(column, JSONB)


def _as(column: Json, value: Json) -> Json:
    return value if isinstance(column.type, JSONB) else sa.cast(value, JSON)


def _json(value: Any) -> Json:
    return sa.cast(sa.literal(json.dumps(value), sa.Text), JSONB)


def _path(names: Sequence[str]) -> Json:
    steps = "".join(f'."{name}"[*]' for name in names).replace("'", "''")
    return sa.literal_column(f"'${steps}'::jsonpath")
