"""A nested field of a table as conditions and answers use it: which column it is in, and the way of its database."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.nested.mariadb import Mariadb
from services.fulfillment.adapters.sql.nested.postgresql import Postgresql
from services.fulfillment.adapters.sql.nested.sqlite import Sqlite
from services.fulfillment.adapters.sql.nested.way import Constant, Json, Path, Tree, Way

WAYS: Final[dict[str, Way]] = {
    "postgresql": Postgresql(),
    "sqlite": Sqlite(),
    "mariadb": Mariadb(),
}
"""The databases that can be looked into."""


def dialect_of(connection: AsyncConnection) -> str:
    """The database's name; one driver reaches two that share a name and not their JSON."""
    dialect = connection.dialect
    return "mariadb" if getattr(dialect, "is_mariadb", False) else dialect.name


Test = Callable[[sa.ColumnElement[str]], sa.ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Inside:
    """The values at one path in a column of JSON."""

    column: sa.ColumnClause[Any]
    names: tuple[str, ...]
    way: Way

    def of(self, clause: sa.FromClause) -> "Inside":
        """The same field of the same table under another name."""
        return replace(self, column=column_of(clause, self.column.name))

    def any(self, test: Test) -> sa.ColumnElement[bool]:
        """One of the values passes the test."""
        values = self.way.values(self.column, self.names)
        one: sa.ColumnClause[int] = sa.literal_column("1")
        found = sa.select(one).select_from(*values.rows).where(test(values.text))
        return sa.exists(found.correlate_except(*values.rows))

    @property
    def listed(self) -> Json:
        """One value, or a list."""
        return self.way.listed(self.column, self.names)

    @property
    def document(self) -> Json:
        """The whole column, read."""
        return sa.type_coerce(self.column, sa.JSON()).label(self.column.name)

    @property
    def there(self) -> Json:
        """Something where a value is, to be counted."""
        return sa.case((self.any(lambda text: text.is_not(None)), 1))

    def is_not(self, value: Any) -> sa.ColumnElement[bool]:
        return self.way.is_not(self.column, self.names, value)

    def put(self, value: Any) -> Json:
        return self.way.put(self.column, self.names, value)


def column_of(clause: sa.FromClause, name: str) -> sa.ColumnClause[Any]:
    """A column of a table, or of another name for it."""
    column: sa.ColumnClause[Any] = sa.column(name, clause.c[name].type, _selectable=clause)
    return column


def spelt(value: object) -> str | None:
    """A value as its text in JSON is compared."""
    if value is None or isinstance(value, dict | list):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def tree_of(constants: Sequence[tuple[Sequence[str], Any]]) -> Tree:
    """What several paths of one column become, as one."""
    tree: dict[str, Any] = {}
    for names, value in constants:
        node = tree
        for name in names[:-1]:
            node = node.setdefault(name, {})
        node[names[-1]] = Constant(value)
    return tree


def values_at(node: Any, names: Sequence[str], at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value at a path of a document that was read, with its own place."""
    if isinstance(node, list):
        for place, each in enumerate(node):
            yield from values_at(each, names, (*at, place))
    elif not names:
        yield at, node
    elif isinstance(node, dict) and names[0] in node:
        yield from values_at(node[names[0]], names[1:], (*at, names[0]))
