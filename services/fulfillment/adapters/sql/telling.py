"""The statements that a database would be asked, as text and without a value: nothing is connected to make them.

They come from the same builders as those that run. What only the database knows is left open: the types of its columns,
and foreign keys that the map does not name.
"""

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.fulfillment.adapters.sql.conditions import holding, matches, owned, these, until
from services.fulfillment.adapters.sql.correcting import putting_right, reading
from services.fulfillment.adapters.sql.flags import setting, unset
from services.fulfillment.adapters.sql.nested.inside import Inside
from services.fulfillment.adapters.sql.replacing import identifying, own_to_a_row, replacements
from services.fulfillment.adapters.sql.tables import MappedTable, Reflection, Tables, build_tables, closed_in
from services.fulfillment.datamap.disputes import corrigible
from services.fulfillment.datamap.flags import FLAG_RIGHTS, flag_of
from services.fulfillment.datamap.graph import Edge, Seed, deletion_order, plan_walk
from services.fulfillment.datamap.model import DataMap, MapCollection
from services.fulfillment.datamap.replacing import strategy
from services.fulfillment.datamap.systems import SecretMissingError, System

_WHEN = datetime(2000, 1, 1, tzinfo=UTC)
_CAST = re.compile(r"::[A-Z]+( WITH TIME ZONE)?(\[\])?")
_LIST = re.compile(r"\((?:__\[POSTCOMPILE_(\w+)\])\)")
_SEVERAL = r"(:\1, ...)"


def statements_of(system: System, kinds: Collection[str]) -> str:
    """Every statement of a search by these kinds and of what may follow it, in their order."""
    seen, dialect = _from_map(system.datamap), _dialect(system)
    if dialect == "mysql" and any(
        f.steps for c in system.datamap.collections.values() for f in c.fields.values()
    ):
        dialect = "mariadb"  # one address for both; only this one is looked into
    if closed := next(closed_in(system.datamap, seen, dialect), None):
        return f"No statements: {closed.table}.{closed.column} is nested, and {dialect} is not looked into\n"
    tables = build_tables(system.datamap, seen, dialect)
    lines = ["Statements", *(f"  {line}" for line in _finding(tables, system.datamap, kinds))]
    lines += [
        "",
        "Statements of a deletion, in one transaction",
        *(f"  {s}" for s in _deleting(tables, system.datamap)),
    ]
    lines += _section("Statements of an opt-out or a limit", _flagging(tables, system.datamap))
    lines += _section("Statements of a correction, in one transaction", _correcting(tables, system.datamap))
    return "\n".join(lines) + "\n"


def _section(title: str, statements: Iterator[str]) -> list[str]:
    told = [f"  {line}" for line in statements]
    return ["", title, *told] if told else []


def _finding(tables: Tables, datamap: DataMap, kinds: Collection[str]) -> Iterator[str]:
    plan = plan_walk(datamap, kinds)
    for seed in plan.seeds:
        yield _text(tables, _select(tables[seed.place.collection], _is(tables, seed), tables))
    for edge in plan.edges:
        yield _text(tables, _select(tables[edge.target], _joined(tables, edge), tables))


def _is(tables: Tables, seed: Seed) -> sa.ColumnElement[bool]:
    spot = tables[seed.place.collection].spot(seed.place.field)
    return matches(spot, "+12025550123" if seed.match == "digits" else "x", seed.match, tables.dialect)


def _joined(tables: Tables, edge: Edge) -> sa.ColumnElement[bool]:
    spots = [tables[edge.target].spot(name) for _, name in edge.pairs]
    return holding(spots, [tuple("x" for _ in spots)], tables.dialect)


def _select(table: MappedTable, condition: sa.ColumnElement[bool], tables: Tables) -> sa.Select[Any]:
    return sa.select(*table.key).where(
        condition, until(table, _WHEN, tables.dialect), owned(table, tables.dialect)
    )


def _deleting(tables: Tables, datamap: DataMap) -> Iterator[str]:
    for name in deletion_order(datamap.collections, tables.order_links):
        table = tables[name]
        where = _bound(tables, table)
        match table.collection.treatment:
            case "erase":
                yield _text(tables, sa.delete(table.clause).where(*where))
            case "deidentify":
                values = {**replacements(table), **dict(_hashed(table))}
                yield _text(tables, sa.update(table.clause).where(*where, identifying(table)).values(values))


def _hashed(table: MappedTable) -> Iterator[tuple[str, Any]]:
    """What each row gets of its own; an array's values each in their place."""
    for field in own_to_a_row(table):
        spot = table.spot(field.name)
        if isinstance(spot, Inside):
            beside = [f for f in table.collection.deidentified if f.outermost == field.outermost]
            yield field.outermost, spot.way.replaced_at(spot.column, [(f.steps[1:], "x") for f in beside])
        elif strategy(field) == "keyed_hash":
            yield field.name, sa.bindparam("keyed_hash", "x")


def _flagging(tables: Tables, datamap: DataMap) -> Iterator[str]:
    for name in datamap.collections:
        table = tables[name]
        for right in sorted(FLAG_RIGHTS):
            flag = flag_of(table.collection, right)
            if flag is not None:
                where = (*_bound(tables, table), unset(table, flag))
                yield _text(tables, sa.update(table.clause).where(*where).values(setting(table, flag)))


def _correcting(tables: Tables, datamap: DataMap) -> Iterator[str]:
    """As if all columns that are corrected by themselves were disputed in one row."""
    for name, collection in datamap.collections.items():
        table, fields = tables[name], corrigible(collection)
        if fields:
            named = [field.name for field in fields]
            yield _text(tables, reading(table, _bound(tables, table), named, lock=True))
            change = tuple((field.name, field.steps[1:], "x", "x") for field in fields)
            yield _text(tables, putting_right(tables, table, _bound(tables, table), change))


def _bound(tables: Tables, table: MappedTable) -> list[sa.ColumnElement[bool]]:
    key = tuple("x" for _ in table.key)
    return [these(table, [key], tables.dialect), until(table, _WHEN, tables.dialect)]


def _text(tables: Tables, statement: Any) -> str:
    kind: Any = sa.make_url(f"{tables.dialect}://").get_dialect()
    said = re.sub(r"\s+", " ", str(statement.compile(dialect=kind(paramstyle="named"))))
    said = _CAST.sub("", said.replace(" AND true", ""))
    return _LIST.sub(_SEVERAL, said) + ";"


def _from_map(datamap: DataMap) -> Reflection:
    """What the map says of the database, in the place of what the database would say."""
    columns = {
        name: {column: _type(one, column) for column in (*one.outermost, *_key(one))}
        for name, one in datamap.collections.items()
    }
    return Reflection(columns, {name: _key(one) for name, one in datamap.collections.items()}, ())


def _type(collection: MapCollection, field: str) -> sa.types.TypeEngine[Any]:
    """Only what a statement's shape depends on."""
    created = collection.created_at
    if any(each.steps and each.outermost == field for each in collection.fields.values()):
        return JSONB()
    return sa.DateTime(timezone=True) if created and created.field == field else sa.String()


def _key(collection: MapCollection) -> tuple[str, ...]:
    return collection.primary_key or ("the table's primary key",)


def _dialect(system: System) -> str:
    """The database's own way to write, where its address is known here."""
    try:
        name = sa.make_url(system.url.read() if system.url else "").get_backend_name()
    except (SecretMissingError, sa.exc.ArgumentError, OSError):
        return "postgresql"
    return {"postgres": "postgresql", "mariadb": "mysql"}.get(name, name)
