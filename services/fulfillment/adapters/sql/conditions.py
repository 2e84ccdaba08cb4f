"""The few conditions that statements are made of: these rows, no later than the cut-off, this identity."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.fulfillment.adapters.sql.collations import (
    COLLATING,
    as_written,
    exactly,
    exactly_lower,
    same_text,
)
from services.fulfillment.adapters.sql.keys import fit, fitting
from services.fulfillment.adapters.sql.tables import MappedTable
from services.fulfillment.datamap.additions import CreatedAt, Match
from services.fulfillment.datamap.spelling import sought, telephone_spellings
from services.fulfillment.ports import Key

Condition = sa.ColumnElement[bool]

_PUNCTUATION = " -()./+"


def among(
    columns: Sequence[sa.ColumnClause[Any]], values: Sequence[tuple[Any, ...]], dialect: str
) -> Condition:
    """The columns together equal one of the values."""
    if dialect in COLLATING:
        return exactly(columns, values)
    if len(columns) > 1:
        return sa.tuple_(*columns).in_(values)
    only = [value for (value,) in values]
    if dialect == "postgresql":
        # One text for any number of values, so that the statement is prepared once.
        return columns[0] == sa.func.any(sa.bindparam(None, only, type_=ARRAY(columns[0].type)))
    return columns[0].in_(only)


def these(table: MappedTable, keys: Sequence[Key], dialect: str) -> Condition:
    """The table's rows of these frozen keys."""
    return among(table.key, fitted(table, keys), dialect)


def fitted(table: MappedTable, keys: Sequence[Key]) -> list[tuple[Any, ...]]:
    """Frozen keys in the types of the table's key columns."""
    fits = [fitting(column) for column in table.key]
    if len(fits) == 1:
        # Most tables; a list may hold a hundred thousand keys.
        [only] = fits
        return [(only(part),) for (part,) in keys]
    return [tuple(fit_one(part) for part, fit_one in zip(key, fits, strict=True)) for key in keys]


def until(table: MappedTable, cut_off: datetime, dialect: str) -> Condition:
    """Created no later than the cut-off; a row that has no time of its own is bound by its id alone."""
    created = table.collection.created_at
    if created is None:
        return sa.true()
    column, bound = _comparable(table.column(created.field), created, cut_off, dialect)
    return sa.or_(column.is_(None), column <= bound)


def since(table: MappedTable, start: datetime, dialect: str) -> Condition:
    """Created at or after the start; a row that has no time of its own is always in reach."""
    created = table.collection.created_at
    if created is None:
        return sa.true()
    column, bound = _comparable(table.column(created.field), created, start, dialect)
    return sa.or_(column.is_(None), column >= bound)


def owned(table: MappedTable, dialect: str) -> Condition:
    """The map's fixed condition on the table, if it has one."""
    fixed = [(table.column(name), value) for name, value in (table.collection.where or {}).items()]
    if dialect in COLLATING:
        return sa.and_(sa.true(), *(exactly([column], [(value,)]) for column, value in fixed))
    return sa.and_(sa.true(), *(column == value for column, value in fixed))


def refers(below: sa.ColumnElement[Any], above: sa.ColumnElement[Any], dialect: str) -> Condition:
    """A column of a row and one of the row that it points at hold the same."""
    return same_text(below, above) if dialect in COLLATING else below == above


def matches(column: sa.ColumnClause[Any], seed: str, match: Match, dialect: str) -> Condition:
    """The column holds this identity, compared as the map says; what the type cannot hold matches nothing."""
    match match:
        case "lower" | "sha256":
            value = sought(seed, match)
            return exactly_lower(column, value) if dialect in COLLATING else sa.func.lower(column) == value
        case "digits":
            spellings = telephone_spellings(seed)
            if dialect in COLLATING:
                return as_written(_digits(column)).in_([one.encode() for one in spellings])
            return _digits(column).in_(spellings)
    fitted = fit(seed, column)
    return sa.false() if fitted is None else among([column], [(fitted,)], dialect)


def bound_of(table: MappedTable, cut_off: datetime) -> tuple[sa.ColumnElement[Any], Any]:
    """The column that tells when a row came to be, and the cut-off as a server compares it with."""
    created = table.collection.created_at
    assert created is not None  # noqa: S101 - asked only of a table that has one
    return _comparable(table.column(created.field), created, cut_off, "postgresql")


def _comparable(
    column: sa.ColumnClause[Any], created: CreatedAt, instant: datetime, dialect: str
) -> tuple[sa.ColumnElement[Any], Any]:
    instant = instant.astimezone(UTC)
    match created.format:
        case "epoch_seconds":
            return column, int(instant.timestamp())
        case "epoch_millis":
            return column, int(instant.timestamp() * 1000)
    if dialect == "sqlite":
        # Its times are texts in any of several spellings: compare days, which it computes from all of them.
        return sa.func.julianday(column), sa.func.julianday(instant.isoformat())
    if created.format == "iso_utc":
        return column, instant.strftime("%Y-%m-%dT%H:%M:%SZ")
    aware = getattr(column.type, "timezone", True)
    return column, instant if aware else instant.replace(tzinfo=None)


def _digits(column: sa.ColumnClause[Any]) -> sa.ColumnElement[str]:
    start: sa.ColumnElement[Any] = sa.cast(column, sa.String)
    return reduce(lambda text, mark: sa.func.replace(text, mark, ""), _PUNCTUATION, start)
