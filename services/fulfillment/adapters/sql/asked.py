"""What many people ask of one table at once, as a table to join: who asks, with which values, and up to when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.fulfillment.adapters.sql.conditions import Condition, bound_of
from services.fulfillment.adapters.sql.tables import MappedTable

ASKS: Final = "habeas_asks"
"""Under which name an answer says who asked."""


@dataclass(frozen=True, slots=True, eq=False)
class Asker:
    """One person's values of the compared columns, and the times between which rows came to be."""

    number: int
    until: datetime
    values: Sequence[tuple[Any, ...]]
    since: datetime | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """The askers as a table, and the conditions under which a row is the answer to one of them."""

    number: sa.ColumnElement[int]
    where: tuple[Condition, ...]


def asked(table: MappedTable, columns: Sequence[sa.ColumnElement[Any]], askers: Sequence[Asker]) -> Asked:
    """Join the table to its askers: the database itself compares, as it does for one of them."""
    rows = [(asker.number, *values) for asker in askers for values in asker.values]
    kinds: list[Any] = [sa.Integer(), *(column.type for column in columns)]
    arrays = [_array(values, kind) for values, kind in zip(zip(*rows, strict=True), kinds, strict=True)]
    named = [sa.column(f"a{place}", kind) for place, kind in enumerate(kinds)]
    if table.collection.created_at is not None:
        stamp, times = _times(table, askers)
        arrays += [_array(each, stamp.type) for each in times]
        named += [sa.column(name, stamp.type) for name in ("until", "since")]
    source = sa.func.unnest(*arrays).table_valued(*named, name="asked").render_derived()
    same = [own == source.c[f"a{place}"] for place, own in enumerate(columns, 1)]
    return Asked(source.c.a0, (*same, *_within(table, source)))


def _times(
    table: MappedTable, askers: Sequence[Asker]
) -> tuple[sa.ColumnElement[Any], tuple[list[Any], list[Any]]]:
    """Each value's bounds, as the server compares them with the column."""

    def bound(at: datetime | None) -> Any:
        return None if at is None else bound_of(table, at)[1]

    untils, sinces = [bound(one.until) for one in askers], [bound(one.since) for one in askers]
    each = [place for place, one in enumerate(askers) for _ in one.values]
    stamp, _ = bound_of(table, askers[0].until)
    return stamp, ([untils[place] for place in each], [sinces[place] for place in each])


def _within(table: MappedTable, source: sa.TableValuedAlias) -> Sequence[Condition]:
    """A row that has no time of its own is always in reach, as for one person."""
    created = table.collection.created_at
    if created is None:
        return ()
    column, timeless = table.column(created.field), table.column(created.field).is_(None)
    until, since = source.c.until, source.c.since
    return sa.or_(timeless, column <= until), sa.or_(timeless, since.is_(None), column >= since)


def _array(values: Sequence[Any], kind: sa.types.TypeEngine[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(None, list(values), type_=ARRAY(kind, dimensions=1))
