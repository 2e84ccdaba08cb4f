"""The map's tables as the database really has them: columns with their types, keys, and foreign keys."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.collations import COLLATING, tell
from services.fulfillment.adapters.sql.failures import SchemaDriftError
from services.fulfillment.adapters.sql.nested.inside import WAYS, Inside, column_of, dialect_of
from services.fulfillment.datamap.graph import child_and_parent, map_links
from services.fulfillment.datamap.model import DataMap, MapCollection
from services.fulfillment.ports import Drift

Spot: TypeAlias = sa.ColumnClause[Any] | Inside
"""Where a field of the map is: a column, or a path in one."""


@dataclass(frozen=True, slots=True)
class Link:
    """Rows of `child` point at rows of `parent`."""

    child: str
    parent: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MappedTable:
    """One table of the map, ready for statements."""

    collection: MapCollection
    clause: sa.TableClause
    key: tuple[sa.ColumnClause[Any], ...]
    inside: Mapping[str, Inside] = field(default_factory=dict)
    unique: bool = False
    """The database itself sees to it that no two rows have the same key."""

    @property
    def name(self) -> str:
        return self.collection.name

    def column(self, name: str) -> sa.ColumnClause[Any]:
        return self.clause.c[name]

    def spot(self, name: str, under: sa.FromClause | None = None) -> Spot:
        """A field, nested or not; `under` another name of the table."""
        if name in self.inside:
            found = self.inside[name]
            return found if under is None else found.of(under)
        return self.column(name) if under is None else column_of(under, name)

    def shown(self, name: str) -> sa.ColumnElement[Any]:
        """A field to be read, under its own name."""
        found = self.spot(name)
        return found.listed.label(name) if isinstance(found, Inside) else found


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that statements are made from; one reflection serves the adapter's life."""

    datamap: DataMap
    dialect: str
    mapped: Mapping[str, MappedTable]
    links: tuple[Link, ...]
    order_links: tuple[tuple[str, str], ...]
    nullable: frozenset[tuple[str, str]] = frozenset()

    def __getitem__(self, name: str) -> MappedTable:
        if name not in self.mapped:
            raise SchemaDriftError(f"the table {name} is no longer in the map")
        return self.mapped[name]


@dataclass(frozen=True, slots=True)
class Reflection:
    """What the database says of itself, by table name."""

    columns: Mapping[str, Mapping[str, sa.types.TypeEngine[Any]]]
    keys: Mapping[str, tuple[str, ...]]
    foreign_keys: tuple[tuple[Link, str], ...]
    nullable: frozenset[tuple[str, str]] = frozenset()
    deferrable: frozenset[Link] = frozenset()
    without_transactions: frozenset[str] = frozenset()


async def read_tables(connection: AsyncConnection, datamap: DataMap) -> Tables:
    """Reflect the mapped tables; what is missing is a SchemaDriftError that names it."""
    seen = await connection.run_sync(lambda sync: reflect(sync, datamap, names=list(datamap.collections)))
    missing = [*drift_of(datamap, seen), *closed_in(datamap, seen, dialect_of(connection))]
    if missing:
        raise SchemaDriftError("; ".join(_said(each) for each in missing))
    return build_tables(datamap, seen, dialect_of(connection))


def reflect(connection: sa.Connection, datamap: DataMap, *, names: list[str] | None) -> Reflection:
    """Read columns, keys and foreign keys of these tables, or of all."""
    inspector = sa.inspect(connection)
    wanted: dict[str, Any] = {"schema": datamap.schema, "filter_names": names}
    columns = inspector.get_multi_columns(kind=sa.engine.reflection.ObjectKind.ANY, **wanted)
    keys = inspector.get_multi_pk_constraint(**wanted)
    foreign = inspector.get_multi_foreign_keys(**wanted)
    collations, loose = (
        tell(connection, datamap.schema) if connection.dialect.name in COLLATING else ({}, frozenset())
    )
    for (_, table), found in columns.items():
        for column in found:
            if (str(table), column["name"]) in collations and isinstance(column["type"], sa.String):
                column["type"].collation = collations[str(table), column["name"]]
    return Reflection(
        columns={table: {c["name"]: c["type"] for c in found} for (_, table), found in columns.items()},
        keys={table: tuple(sorted(key["constrained_columns"])) for (_, table), key in keys.items()},
        foreign_keys=tuple(_link(str(table), key) for (_, table), found in foreign.items() for key in found),
        nullable=frozenset(
            (str(table), c["name"]) for (_, table), found in columns.items() for c in found if c["nullable"]
        ),
        deferrable=frozenset(
            _link(str(table), key)[0]
            for (_, table), found in foreign.items()
            for key in found
            if str(key.get("options", {}).get("initially") or "").upper() == "DEFERRED"
        ),
        without_transactions=loose,
    )


def drift_of(datamap: DataMap, seen: Reflection) -> list[Drift]:
    """Tables and columns that the map names and the database lacks, and tables without a key."""
    drift: list[Drift] = []
    for name, collection in datamap.collections.items():
        if name not in seen.columns:
            drift.append(Drift(name, "", "missing"))
            continue
        drift += [Drift(name, c, "missing") for c in collection.outermost if c not in seen.columns[name]]
        if not collection.primary_key and not seen.keys.get(name):
            drift.append(Drift(name, "", "no_primary_key"))
        if name in seen.without_transactions and collection.treatment != "keep":
            drift.append(Drift(name, "", "no_transactions"))
    return drift


def closed_in(datamap: DataMap, seen: Reflection, dialect: str) -> Iterator[Drift]:
    """Nested fields in columns that this database cannot look into."""
    way = WAYS.get(dialect)
    for collection in datamap.collections.values():
        columns = seen.columns.get(collection.name, {})
        for each in (one for one in collection.fields.values() if one.steps):
            kind = columns.get(each.outermost)
            if kind is not None and (way is None or not way.opens(kind)):
                yield Drift(collection.name, each.name, "closed")


def build_tables(datamap: DataMap, seen: Reflection, dialect: str) -> Tables:
    mapped = {name: _mapped(c, seen, dialect, datamap.schema) for name, c in datamap.collections.items()}
    foreign = [link for link, _ in seen.foreign_keys if link.child in mapped and link.parent in mapped]
    links = tuple(dict.fromkeys([*_stated_links(datamap), *foreign]))
    order = [*map_links(datamap), *((link.child, link.parent) for link in links)]
    return Tables(datamap, dialect, mapped, links, tuple(order), seen.nullable)


def _mapped(collection: MapCollection, seen: Reflection, dialect: str, schema: str | None) -> MappedTable:
    key = collection.primary_key or seen.keys[collection.name]
    types = seen.columns[collection.name]
    columns = [
        sa.column(name, _usable(types[name], dialect))
        for name in dict.fromkeys([*key, *collection.outermost])
    ]
    clause = sa.table(collection.name, *columns, schema=schema)
    unique = set(key) == set(seen.keys.get(collection.name, ()))
    own = tuple(clause.c[name] for name in key)
    return MappedTable(collection, clause, own, _inside(collection, clause, dialect), unique)


def _inside(collection: MapCollection, clause: sa.TableClause, dialect: str) -> dict[str, Inside]:
    nested = [each for each in collection.fields.values() if each.steps]
    return {
        each.name: Inside(column_of(clause, each.outermost), each.steps[1:], WAYS[dialect]) for each in nested
    }


def _usable(kind: sa.types.TypeEngine[Any], dialect: str) -> sa.types.TypeEngine[Any]:
    """SQLite's declared types bind nobody: take its values as they are, instead of failing on one of them."""
    return sa.types.NullType() if dialect == "sqlite" else kind


def _stated_links(datamap: DataMap) -> list[Link]:
    links = []
    for reference in datamap.references:
        child, parent = child_and_parent(reference, datamap)
        links.append(Link(child.collection, parent.collection, ((child.field, parent.field),)))
    return links


def _link(table: str, key: Any) -> tuple[Link, str]:
    """A foreign key, and what the database itself does to the children of a deleted row."""
    pairs = tuple(zip(key["constrained_columns"], key["referred_columns"], strict=False))
    return Link(table, key["referred_table"], pairs), str(key.get("options", {}).get("ondelete") or "")


def _said(drift: Drift) -> str:
    place = f"{drift.table}.{drift.column}".rstrip(".")
    lacking = {
        "no_primary_key": "has no primary key",
        "no_transactions": "is kept without transactions",
        "closed": "is nested in a column that cannot be looked into",
    }
    return f"{place} {lacking.get(drift.problem, 'is missing')}"
