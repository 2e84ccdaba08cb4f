"""What MySQL and MariaDB take for the same text, and what is the same.

Their comparisons follow a collation: for most of them `jose` is `José`, and `ada ` is `ada`. That would be another
person. So texts are compared by their bytes; the collation's comparison stands beside it only for the index's sake.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

COLLATING = frozenset({"mysql", "mariadb"})
"""The dialects of which this is true."""

_COLUMNS = sa.text(
    "SELECT table_name, column_name, collation_name FROM information_schema.columns"
    " WHERE table_schema = coalesce(:schema, database()) AND collation_name IS NOT NULL"
)
_LOOSE = sa.text(
    "SELECT t.table_name FROM information_schema.tables t JOIN information_schema.engines e ON e.engine = t.engine"
    " WHERE t.table_schema = coalesce(:schema, database()) AND coalesce(e.transactions, 'NO') <> 'YES'"
)


def is_text(column: sa.ColumnElement[Any]) -> bool:
    """Whether the column's values are compared by a collation."""
    return isinstance(column.type, sa.String)


def collated(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """The column's text in one charset, whatever its own is."""
    return sa.cast(column, mysql.CHAR(charset="utf8mb4"))


def as_written(text: sa.ColumnElement[Any]) -> sa.ColumnElement[bytes]:
    """The text's own bytes."""
    return sa.cast(collated(text), sa.LargeBinary)


def exactly(
    columns: Sequence[sa.ColumnElement[Any]], values: Sequence[tuple[Any, ...]]
) -> sa.ColumnElement[bool]:
    """The columns together hold one of the values, to the byte."""
    texts = [is_text(column) for column in columns]
    if not any(texts):
        return _among(columns, values)
    seen = [as_written(column) if text else column for column, text in zip(columns, texts, strict=True)]
    sought = [
        tuple(_bytes(one) if text else one for one, text in zip(row, texts, strict=True)) for row in values
    ]
    exact = _among(seen, sought)
    return sa.and_(_among(columns, values), exact) if _comparable(columns, values) else exact


def exactly_lower(column: sa.ColumnElement[Any], value: str) -> sa.ColumnElement[bool]:
    """The column holds the value but for capital letters."""
    exact = as_written(sa.func.lower(collated(column))) == value.encode()
    ignores_case = is_text(column) and str(getattr(column.type, "collation", None)).endswith("_ci")
    if ignores_case and _comparable([column], [(value,)]):
        return sa.and_(column == value, exact)
    return exact


def same_text(one: sa.ColumnElement[Any], other: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Two columns that refer to each other; texts of two collations cannot be compared as they are."""
    collations = {getattr(each.type, "collation", None) for each in (one, other)}
    if is_text(one) and is_text(other) and len(collations) > 1:
        return as_written(one) == as_written(other)
    return one == other


def tell(connection: sa.Connection, schema: str | None) -> tuple[dict[tuple[str, str], str], frozenset[str]]:
    """Each text column's collation, and the tables of engines that keep no transactions."""
    values = {"schema": schema}
    collations = {(table, column): name for table, column, name in connection.execute(_COLUMNS, values)}
    return collations, frozenset(table for (table,) in connection.execute(_LOOSE, values))


def _among(
    columns: Sequence[sa.ColumnElement[Any]], values: Sequence[tuple[Any, ...]]
) -> sa.ColumnElement[bool]:
    if len(columns) > 1:
        return sa.tuple_(*columns).in_(values)
    return columns[0].in_([value for (value,) in values])


def _comparable(columns: Sequence[sa.ColumnElement[Any]], values: Sequence[tuple[Any, ...]]) -> bool:
    """Whether the server would compare them at all: what a column's charset cannot hold is an error to it."""
    wide = all(
        str(getattr(column.type, "collation", None)).startswith("utf8")
        for column in columns
        if is_text(column)
    )
    return wide or all(part.isascii() for row in values for part in row if isinstance(part, str))


def _bytes(value: object) -> object:
    return value.encode() if isinstance(value, str) else value
