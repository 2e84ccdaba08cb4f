"""MariaDB: texts of JSON; arrays are walked by JSON_TABLE.

It does not promise the order of an array that it builds, so every replacement goes to the place of its value.
MySQL has the same functions and is not looked into: tried with them, it gave other people's rows where one JSON_TABLE
follows from another inside EXISTS.
"""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from services.fulfillment.adapters.sql.nested.way import Json, Path, Values, word

_EACH: Json = sa.literal_column("'$[*]' COLUMNS (value JSON PATH '$')")


class Mariadb:
    """The way of MariaDB."""

    def opens(self, kind: sa.types.TypeEngine[Any]) -> bool:
        return isinstance(kind, sa.JSON | sa.String)

    def values(self, column: Json, names: Sequence[str]) -> Values:
        first, *rest = names
        rows = [_elements(_inner(column, first))]
        for name in rest:
            last = rows[-1].c.value
            kind = sa.func.json_type(last)
            inside = sa.case((kind == word("OBJECT"), _inner(last, name)), (kind == word("ARRAY"), last))
            rows.append(_elements(inside))
        return Values(tuple(rows), _text(rows[-1].c.value))

    def listed(self, column: Json, names: Sequence[str]) -> Json:
        values = self.values(column, names)
        every = sa.func.json_arrayagg(_whole(values.rows[-1].c.value))
        some = sa.select(every).select_from(*values.rows).correlate_except(*values.rows).scalar_subquery()
        return sa.type_coerce(sa.func.coalesce(_inner(column, *names), some), sa.JSON())

    def is_not(self, column: Json, names: Sequence[str], value: Any) -> sa.ColumnElement[bool]:
        return sa.cast(_inner(column, *names), sa.LargeBinary).is_distinct_from(json.dumps(value).encode())

    def put(self, column: Json, names: Sequence[str], value: Any) -> Json:
        return _put(column, names, value)

    def replaced_at(self, column: Json, values: Sequence[tuple[Path, Any]]) -> Json:
        said = [part for path, value in values for part in (_path(*path), _json(value))]
        return sa.func.json_replace(column, *said)

    def unreadable(self, column: Json) -> sa.ColumnElement[bool]:
        return sa.func.json_valid(column) == 0


def _put(node: Json, names: Sequence[str], value: Any) -> Json:
    """A value that is there and no object is left as it is: what it means is for a person to say."""
    first, *rest = names
    inner = _whole(_put(_inner(node, first), rest, value)) if rest else _json(value)
    kind = sa.func.json_type(node)
    base = sa.case((kind == word("OBJECT"), _whole(node)), else_=sa.func.json_object())
    fits = sa.or_(node.is_(None), kind.in_((word("OBJECT"), word("NULL"))))
    return sa.case((fits, sa.func.json_set(base, _path(first), inner)), else_=_whole(node))


def _elements(node: Json) -> sa.TableValuedAlias:
    """The elements of an array, the one value that is none, or nothing where nothing is."""
    is_array = sa.func.json_type(node) == word("ARRAY")
    elements = sa.case((is_array, node), (node.is_not(None), sa.func.json_array(_whole(node))))
    return sa.func.json_table(elements, _EACH).table_valued("value", joins_implicitly=True)


def _text(value: Json) -> sa.ColumnElement[str]:
    there = sa.func.json_type(value) != word("NULL")
    return sa.type_coerce(sa.case((there, sa.func.json_unquote(value))), sa.Text())


def _inner(node: Json, *names: str) -> Json:
    return sa.func.json_extract(node, _path(*names))


def _whole(node: Json) -> Json:
    """Of a column or a CASE it makes a text, and of what its functions give JSON."""
    return sa.func.json_extract(node, word("$"))


def _json(value: Any) -> Json:
    return sa.func.json_extract(sa.literal(json.dumps(value), sa.Text), word("$"))


def _path(*steps: str | int) -> Json:
    return word("$" + "".join(f"[{step}]" if isinstance(step, int) else f'."{step}"' for step in steps))
