"""The collections as their files hold them now: rows by what they are looked for, and by their keys.

A row that only an older version of an object holds is known by its key and that version: were it known by its key
alone, a newer row of somebody else under the same key would go with it.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from services.fulfillment.adapters.objects.contents import Content
from services.fulfillment.adapters.objects.csv_content import CsvContent
from services.fulfillment.adapters.objects.failures import Failure
from services.fulfillment.adapters.objects.jsonl_content import JsonlContent
from services.fulfillment.adapters.objects.packing import kind_of, unpacked
from services.fulfillment.adapters.objects.places import SUFFIXES, belongs, is_hidden
from services.fulfillment.adapters.objects.store import Store, Stored
from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.model import DataMap, MapCollection
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import Key
from services.fulfillment.rowwise.reading import SAID, Lack
from services.fulfillment.rowwise.rows import Row, RowFailure, RowShape
from services.fulfillment.rowwise.wanted import Answers, Asked, Askers, Wanted, equal, identity
from services.fulfillment.too_much import matches_of_one

_VERSION = "\0version"
_MARK = "version:"


@dataclass(frozen=True, slots=True)
class FileShape(RowShape):
    """A row's key, and the older version that alone holds it, if one does."""

    def key_of(self, row: Row) -> Key:
        own = RowShape.key_of(self, row)
        return (*own, f"{_MARK}{row[_VERSION]}") if _VERSION in row else own


@dataclass(frozen=True, slots=True)
class Named:
    """Keys as files are searched for them: in every state, or in one older version alone."""

    anywhere: Mapping[tuple[str, ...], Key]
    in_version: Mapping[tuple[str, ...], Key]

    def key(self, own: Sequence[Any], stored: Stored) -> Key | None:
        """The frozen key that a row goes by, if it goes by one."""
        text = tuple(map(str, own))
        return self.anywhere.get(text) or self.in_version.get((*text, f"{_MARK}{stored.version}"))


class Table:
    """One collection."""

    def __init__(self, collection: MapCollection, states: Sequence[Stored], how: "Reach") -> None:
        self.collection = collection
        self.shape: RowShape = FileShape(collection, collection.primary_key)
        self.states = states
        self._how = how

    @property
    def name(self) -> str:
        return self.collection.name

    @property
    def most(self) -> int:
        """How many rows may match one person."""
        return self.collection.max_matches or self._how.max_matches

    def found_by(self, column: str) -> bool:
        """Files can be searched by anything."""
        return column in self.collection.fields

    async def matching(self, column: str, seed: str, match: Match) -> list[Row]:
        return await self._distinct(identity(column, seed, match), self.most)

    async def having(self, column: str, values: Sequence[object], *, most: int) -> list[Row]:
        return await self._distinct(equal([column], [(value,) for value in values]), most)

    async def answers(self, asked: Sequence[Asked]) -> list[list[Row] | None]:
        """The rows of each question, all by one reading of each file; None where one has too many."""
        return await asyncio.to_thread(self._answers, asked)

    def held(self, keys: Sequence[Key], cut_off: datetime, *, past: bool = True) -> dict[Key, Row]:
        """The rows of these keys that are there, and no newer; the current state of a row before older ones."""
        named = self.named(keys)
        found: dict[Key, Row] = {}
        for stored, row in self.search(self.sought(named)):
            key = named.key(RowShape.key_of(self.shape, row), stored)
            if key is not None and (past or stored.current) and self.shape.until(row, cut_off):
                found.setdefault(key, row)
        return found

    def named(self, keys: Sequence[Key]) -> Named:
        """Frozen keys, told apart by whether they mean one version."""
        width = len(self.shape.key)
        texts = {tuple(map(str, key)): key for key in keys}
        return Named(
            {text: key for text, key in texts.items() if len(text) == width},
            {text: key for text, key in texts.items() if len(text) > width},
        )

    def sought(self, named: Named) -> Wanted:
        """The condition that finds these keys."""
        width = len(self.shape.key)
        return equal(self.shape.key, [text[:width] for text in (*named.anywhere, *named.in_version)])

    def search(self, wanted: Wanted) -> Iterator[tuple[Stored, Row]]:
        """Every row that is meant, in every state, the current ones first.

        Raises:
            Failure: a file cannot be read, or has not the columns that the map names.
        """
        yield from ((stored, row) for stored, _, row in self._search([wanted]))

    def _search(self, wanted: Sequence[Wanted]) -> Iterator[tuple[Stored, int, Row]]:
        """The same for several conditions at once: with each row the place of the one that it meets."""
        seen = _Columns(self.collection)
        for stored in self.states:
            with self.content(stored) as content:
                if stored.current:
                    seen.add(content)
                    seen.complain(at_end=False)
                for stretch in content.stretches():
                    for place, one in enumerate(wanted):
                        yield from ((stored, place, row) for _, row in stretch.rows(one))
        seen.complain(at_end=True)

    @contextmanager
    def content(self, stored: Stored) -> Iterator[Content]:
        """One state of one file, read as its name says."""
        with self._how.store.open(stored) as raw, unpacked(stored.name, raw) as file:
            match kind_of(stored.name):
                case ".csv":
                    yield CsvContent(file, self._how.delimiter)
                case ".parquet":
                    from services.fulfillment.adapters.objects.parquet_content import ParquetContent

                    yield ParquetContent(file, self.collection.fields.values())
                case _:
                    yield JsonlContent(file, [f.name for f in self.collection.fields.values() if f.steps])

    def lacking(self) -> dict[str, Lack]:
        """The columns that the map names and a file lacks, or keeps where nobody can look into it.

        Older versions may be older than the map.
        """
        seen = _Columns(self.collection)
        for stored in (each for each in self.states if each.current):
            with self.content(stored) as content:
                seen.add(content)
        return {name: seen.lack(name) for name in seen.missing()}

    def columns(self) -> set[str]:
        """The columns that any file has."""
        return self._of_all(lambda content: content.columns() or set())

    def several(self) -> set[str]:
        """The identities of which a row of any file can hold more than one."""
        return self._of_all(lambda content: content.several())

    def _of_all(self, told: Callable[[Content], AbstractSet[str]]) -> set[str]:
        found: set[str] = set()
        for stored in (each for each in self.states if each.current):
            with self.content(stored) as content:
                found |= told(content)
        return found

    async def _distinct(self, wanted: Wanted, most: int) -> list[Row]:
        [found] = await asyncio.to_thread(self._answers, [Asked(wanted, most)])
        if found is None:
            raise RowFailure("unbounded", matches_of_one(most, f"rows of {self.name}", "person"))
        return found

    def _answers(self, asked: Sequence[Asked]) -> list[list[Row] | None]:
        askers, answers = Askers(asked), Answers(asked)
        for stored, place, row in self._search(askers.wanted):
            own = RowShape.key_of(self.shape, row)
            for number in askers.of(place, row):
                found = answers.rows(number)
                if stored.current:
                    answers.put(number, own, row)
                elif found is not None and own not in found:
                    answers.put(number, (*own, stored.version), {**row, _VERSION: stored.version})
            if answers.over:
                break
        return answers.all()


class _Columns:
    """The columns that files were seen to have: a row of JSON may leave one out, a whole collection may not."""

    def __init__(self, collection: MapCollection) -> None:
        self._collection = collection
        self._lacking: set[str] = set()
        self._loose: set[str] | None = None
        self._closed: set[str] = set()

    def add(self, content: Content) -> None:
        columns = content.columns()
        if columns is None:
            return
        if isinstance(content, JsonlContent):
            self._loose = (self._loose or set()) | columns
        else:
            self._lacking |= set(self._collection.fields) - columns
            self._closed |= content.closed()

    def missing(self) -> list[str]:
        loose = set() if self._loose is None else set(self._collection.outermost) - self._loose
        return sorted(self._lacking | loose)

    def complain(self, *, at_end: bool) -> None:
        if missing := self.missing() if at_end else sorted(self._lacking):
            raise Failure("schema", f"{self._collection.name}.{missing[0]} {SAID[self.lack(missing[0])]}")

    def lack(self, name: str) -> Lack:
        return "closed" if name in self._closed else "missing"


@dataclass(frozen=True, slots=True)
class Reach:
    """How files are opened, and how much is too much."""

    store: Store
    delimiter: str
    max_matches: int


class Tables:
    """All collections, as they are at one moment."""

    def __init__(self, system: System, patterns: Mapping[str, tuple[str, ...]], store: Store) -> None:
        self.datamap: DataMap = system.datamap
        self.store = store
        states = [each for each in store.states() if not is_hidden(each.name)]
        self._tables: dict[str, Table] = {}
        how = Reach(store, str(system.settings.get("delimiter", ",")), system.limits.max_matches)
        for name, collection in system.datamap.collections.items():
            own = [each for each in states if belongs(each.name, patterns[name])]
            self._tables[name] = Table(collection, own, how)
        self.stray = len([s for s in states if not any(belongs(s.name, each) for each in patterns.values())])

    def __getitem__(self, name: str) -> Table:
        """A collection; one that has no file, or one of no known kind, is for a person."""
        if name not in self._tables:
            raise Failure("schema", f"the collection {name} is no longer in the map")
        table = self._tables[name]
        if not table.states:
            raise Failure("schema", f"{name} has no file; say in settings.files.{name} which are its own")
        if any(kind_of(each.name) not in SUFFIXES for each in table.states):
            raise Failure(
                "schema", f"{name} has a file of no kind that can be read ({', '.join(sorted(SUFFIXES))})"
            )
        return table

    def has_files(self, name: str) -> bool:
        """Whether any file is this collection's."""
        return bool(self._tables[name].states)

    async def held(
        self, names: Mapping[str, Sequence[Key]], cut_off: datetime, *, past: bool = True
    ) -> dict[str, dict[Key, Row]]:
        """What is still there of these keys, leaving out rows that came after the cut-off under an old key."""
        return {
            name: await asyncio.to_thread(partial(self[name].held, keys, cut_off, past=past))
            for name, keys in sorted(names.items())
        }
