"""One look through a system's part: how much there is of what, and the first rows; never all of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from services.fulfillment.datamap.translating import WRITTEN_IN
from shared.privacy.claims import Language

Json = dict[str, Any]
Records = Callable[[], Iterator[Json]]

TOLD: Final = ("sources", "purposes", "disclosed_to", "sold_or_shared_to")
SHORT: Final = frozenset({"id", "ip", "url", "vin", "zip"})

ROWS_KEPT: Final = 1000
"""A table of more rows is not repeated in answer.json: it has files of its own."""


def in_words(identifier: str) -> str:
    """A name as people write it; one that has capitals of its own stays as it is."""
    words = identifier.replace("-", " ").replace("_", " ").strip()
    if not words.islower():
        return words or identifier
    spelt = " ".join(word.upper() if word in SHORT else word for word in words.split())
    return spelt[:1].upper() + spelt[1:]


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
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    language: str = "en"
    lacks_words: bool = False

    def look(self) -> Iterator[None]:
        """Look through all of it, a line at a time."""
        for record in self.records():
            if "rows" in record:
                self._table(record["dataset"]).hear(record["rows"])
            else:
                self._describe(record)
            yield

    def speak(self, language: Language) -> None:
        """Say what the data map says in the words of a language, as far as the map has them."""
        self.language = language
        self.title = self._told(self.title)
        self.categories = [
            {**each, **{kind: [self._told(words) for words in each[kind]] for kind in TOLD}}
            for each in self.categories
        ]

    def named(self, name: str) -> str:
        """A table's or column's name for people: as the map puts it, or as it is spelt with spaces."""
        return self.words.get(self.language, {}).get(name) or in_words(name)

    def _told(self, words: str) -> str:
        found = self.words.get(self.language, {}).get(words)
        self.lacks_words |= bool(words) and found is None and self.language != WRITTEN_IN
        return found or words

    def rows(self, dataset: str) -> Iterator[list[Json]]:
        """All rows of a table, some at a time; other tables' lines give none."""
        for record in self.records():
            yield record["rows"] if record.get("dataset") == dataset else []

    def _describe(self, about: Json) -> None:
        self.system, self.title, self.categories = about["system"], about["title"], about["categories"]
        self.words = about.get("words", {})
        for data in about["datasets"]:
            table = self._table(data["dataset"])
            table.categories, table.withheld = data["categories"], data["withheld"]

    def _table(self, dataset: str) -> Table:
        return self.tables.setdefault(dataset, Table(dataset))
