"""One look through a system's part: how much there is of what, and the first rows; never all of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]
Records = Callable[[], Iterator[Json]]

ROWS_KEPT: Final = 1000
"""A table of more rows is not repeated in answer.json: it has files of its own."""


@dataclass(slots=True)
class Table:
    """One table of a part: its columns as they come, and its first rows."""

    dataset: str
    columns: dict[str, None] = field(default_factory=dict)
    first: list[Json] = field(default_factory=list)
    count: int = 0
    categories: dict[str, str] = field(default_factory=dict)
    withheld: list[Json] = field(default_factory=list)

    @property
    def is_large(self) -> bool:
        return self.count > ROWS_KEPT

    def hear(self, rows: Iterable[Json]) -> None:
        """Take note of some rows."""
        for row in rows:
            self.columns.update(dict.fromkeys(row))
            self.count += 1
            if len(self.first) < ROWS_KEPT:
                self.first.append(row)


@dataclass(slots=True)
class Survey:
    """What one part holds, once it was looked through."""

    records: Records
    system: str = ""
    title: str = ""
    categories: list[Json] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)

    def look(self) -> Iterator[None]:
        """Look through all of it, a line at a time."""
        for record in self.records():
            if "rows" in record:
                self._table(record["dataset"]).hear(record["rows"])
            else:
                self._describe(record)
            yield

    def rows(self, dataset: str) -> Iterator[list[Json]]:
        """All rows of a table, some at a time; other tables' lines give none."""
        for record in self.records():
            yield record["rows"] if record.get("dataset") == dataset else []

    def _describe(self, about: Json) -> None:
        self.system, self.title, self.categories = about["system"], about["title"], about["categories"]
        for data in about["datasets"]:
            table = self._table(data["dataset"])
            table.categories, table.withheld = data["categories"], data["withheld"]

    def _table(self, dataset: str) -> Table:
        return self.tables.setdefault(dataset, Table(dataset))
