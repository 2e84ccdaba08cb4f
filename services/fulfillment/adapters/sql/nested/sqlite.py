"""SQLite: texts of JSON, in a column of whatever type; arrays are walked by its table of elements."""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from services.fulfillment.adapters.sql.nested.way import Constant, Json, Path, Tree, Values, word

_EMPTY: Json = sa.literal_column("'{}'")


class Sqlite:
    """The way of SQLite."""

    def opens(self, kind: sa.types.TypeEngine[Any]) -> bool:
        return not isinstance(kind, sa.Numeric | sa.Integer | sa.Boolean)

    def values(self, column: Json, names: Sequence[str]) -> Values:
        first, *rest = names
        rows = [_elements(_inner(column, first))]
        for name in rest:
            last = rows[-1].c
            inside = sa.case(
                (last.type == word("object"), _inner(last.value, name)),
                (last.type == word("array"), last.value),
            )
            rows.append(_elements(inside))
        return Values(tuple(rows), _text(rows[-1]))

    def listed(self, column: Json, names: Sequence[str]) -> Json:
        values = self.values(column, names)
        every = sa.func.json_group_array(sa.func.json(_written(values.rows[-1])))
        some = (
            sa.select(sa.func.nullif(every, word("[]")))
            .select_from(*values.rows)
            .correlate_except(*values.rows)
            .scalar_subquery()
        )
        return sa.type_coerce(sa.func.coalesce(_inner(column, *names), some), sa.JSON())

    def is_not(self, column: Json, names: Sequence[str], value: Any) -> sa.ColumnElement[bool]:
        return _inner(column, *names).is_distinct_from(json.dumps(value))

    def put(self, column: Json, names: Sequence[str], value: Any) -> Json:
        base = sa.func.coalesce(column, _EMPTY)
        return sa.func.json_set(base, _path(*names), _json(value))

    def replaced(self, column: Json, tree: Tree) -> Json:
        return sa.case((column.is_not(None), _through(column, tree)))

    def replaced_at(self, column: Json, values: Sequence[tuple[Path, Any]]) -> Json:
        said = [part for path, value in values for part in (_path(*path), _json(value))]
        return sa.func.json_replace(column, *said)

    def unreadable(self, column: Json) -> sa.ColumnElement[bool]:
        return sa.func.json_valid(column) == 0


def _through(node: Json, after: Constant | Tree) -> Json:
    """A value, or each one of an array, as it is afterwards; it is named once, for a text grows with each mention."""
    bound = sa.select(node.label("node")).correlate_except().subquery()
    rows = _elements(bound.c.node)
    is_array = _kind(bound.c.node) == word("array")
    each = _json(after.value) if isinstance(after, Constant) else _object(bound.c.node, rows, after)
    every = sa.func.json_group_array(each)
    whole = every.op("->")(sa.case((is_array, sa.literal_column("'$'")), else_=sa.literal_column("'$[0]'")))
    return sa.select(whole).select_from(bound, rows).correlate_except(bound, rows).scalar_subquery()


def _object(node: Json, rows: sa.FromClause, tree: Tree) -> Json:
    """An element with its fields replaced; one that is no object stays as it is."""
    said = [
        part
        for name, inner in tree.items()
        for part in (_path(name), sa.func.json(_through(_inner(rows.c.value, name), inner)))
    ]
    element = sa.case((_kind(node) == word("array"), node.op("->")(rows.c.key)), else_=node)
    replaced = sa.func.json_replace(rows.c.value, *said)
    return sa.func.json(sa.case((rows.c.type == word("object"), replaced), else_=element))


def _elements(node: Json) -> sa.TableValuedAlias:
    """The elements of an array, the one value that is none, or nothing where nothing is."""
    columns = ("key", "value", "type")
    return sa.func.json_each(_in_array(node)).table_valued(*columns, joins_implicitly=True)


def _in_array(node: Json) -> Json:
    alone = sa.func.json_array(sa.func.json(node))
    return sa.case((_kind(node) == word("array"), node), (node.is_not(None), alone))


def _text(rows: sa.FromClause) -> sa.ColumnElement[str]:
    truth = sa.case(
        (rows.c.type == word("true"), word("true")),
        (rows.c.type == word("false"), word("false")),
        else_=sa.cast(rows.c.value, sa.Text),
    )
    return sa.type_coerce(truth, sa.Text())


def _written(rows: sa.FromClause) -> Json:
    """An element as JSON again."""
    kind = rows.c.type
    plain = sa.case(
        (kind == word("true"), word("true")),
        (kind == word("false"), word("false")),
        else_=sa.func.json_quote(rows.c.value),
    )
    return sa.case((kind.in_((word("object"), word("array"))), rows.c.value), else_=plain)


def _kind(node: Json) -> Json:
    return sa.func.json_type(node)


def _inner(node: Json, *names: str) -> Json:
    return node.op("->")(_path(*names))


def _json(value: Any) -> Json:
    return sa.func.json(sa.literal(json.dumps(value), sa.Text))


def _path(*steps: str | int) -> Json:
    said = "".join(f"[{step}]" if isinstance(step, int) else f'."{step}"' for step in steps)
    return sa.literal_column("'${}'".format(said.replace("'", "''")))
