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
from services.fulfillment.adapters.sql.keys import fit, fitted_parts, fitting
from services.fulfillment.adapters.sql.nested.inside import Inside, spelt
from services.fulfillment.adapters.sql.tables import MappedTable, Spot
from services.fulfillment.datamap.additions import CreatedAt, Match
from services.fulfillment.datamap.spelling import sought, telephone_spellings
from services.fulfillment.ports import Key

Condition = sa.ColumnElement[bool]

_PUNCTUATION = " -()./+"


def among(
    columns: Sequence[sa.ColumnElement[Any]], values: Sequence[tuple[Any, ...]], dialect: str
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
    if len(table.key) == 1:
        # Most tables; a list may hold a hundred thousand keys.
        return [(part,) for part in fitted_parts(table.key[0], [part for (part,) in keys])]
    fits = [fitting(column) for column in table.key]
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
    fixed = (table.collection.where or {}).items()
    # A bare true falls out of the statement that it is part of; one within an and_ of its own stays as 1 = 1.
    return sa.and_(*(_is(table.spot(name), value, dialect) for name, value in fixed)) if fixed else sa.true()


def holding(spots: Sequence[Spot], values: Sequence[tuple[Any, ...]], dialect: str) -> Condition:
    """The fields together equal one of the values; of several values of one, any does."""
    columns = [each for each in spots if not isinstance(each, Inside)]
    if len(columns) == len(spots):
        return among(columns, values, dialect)
    if len(spots) == 1 and isinstance(spots[0], Inside):
        texts = [(spelt(value),) for (value,) in values]
        return spots[0].any(lambda text: among([text], texts, dialect))
    rows = (
        sa.and_(*(_is(spot, one, dialect) for spot, one in zip(spots, row, strict=True))) for row in values
    )
    return sa.or_(sa.false(), *rows)


def joined(one: Spot, other: Spot, dialect: str) -> Condition:
    """A field of a row and one of the row that it points at hold the same."""
    if isinstance(one, Inside):
        return one.any(lambda text: _spelt_as(text, other, dialect))
    if isinstance(other, Inside):
        return joined(other, one, dialect)
    return same_text(one, other) if dialect in COLLATING else one == other


def _spelt_as(text: sa.ColumnElement[str], other: Spot, dialect: str) -> Condition:
    if isinstance(other, Inside):
        return other.any(lambda inner: _same_spelling(inner, text, dialect))
    return _same_spelling(text, other, dialect)


def _same_spelling(text: sa.ColumnElement[str], other: sa.ColumnElement[Any], dialect: str) -> Condition:
    return as_written(text) == as_written(other) if dialect in COLLATING else text == sa.cast(other, sa.Text)


def _is(spot: Spot, value: Any, dialect: str) -> Condition:
    if isinstance(spot, Inside):
        return spot.any(lambda text: among([text], [(spelt(value),)], dialect))
    if dialect in COLLATING:
        return exactly([spot], [(value,)])
    same: Condition = spot == value
    return same


def matches(spot: Spot, seed: str, match: Match, dialect: str) -> Condition:
    """The field holds this identity, compared as the map says; what the type cannot hold matches nothing."""
    if isinstance(spot, Inside):
        return spot.any(lambda text: _matches(text, seed, match, dialect))
    return _matches(spot, seed, match, dialect)


def _matches(column: sa.ColumnElement[Any], seed: str, match: Match, dialect: str) -> Condition:
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


def matched(column: sa.ColumnElement[Any], match: Match) -> sa.ColumnElement[Any]:
    """What of a column is compared with an identity, where a server is asked for many."""
    match match:
        case "lower" | "sha256":
            return sa.func.lower(column, type_=sa.Text())
        case "digits":
            return sa.type_coerce(_digits(column), sa.Text())
    return column


def spellings(column: sa.ColumnElement[Any], seed: str, match: Match) -> list[tuple[Any, ...]]:
    """The values of which `matched` must be one; what the type cannot hold is none."""
    match match:
        case "lower" | "sha256":
            return [(sought(seed, match),)]
        case "digits":
            return [(one,) for one in telephone_spellings(seed)]
    fitted = fit(seed, column)
    return [] if fitted is None else [(fitted,)]


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


def _digits(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    start: sa.ColumnElement[Any] = sa.cast(column, sa.String)
    return reduce(lambda text, mark: sa.func.replace(text, mark, ""), _PUNCTUATION, start)
