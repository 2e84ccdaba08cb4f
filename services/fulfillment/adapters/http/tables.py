"""The collections of one system: each knows how its rows are looked up, read by key, and told to be gone."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from services.fulfillment.adapters.http.client import Client
from services.fulfillment.adapters.http.connector import CollectionSpec, Connector, Derived
from services.fulfillment.adapters.http.failures import Failure
from services.fulfillment.adapters.http.lookups import Asking
from services.fulfillment.adapters.http.rows import Shape, shape
from services.fulfillment.adapters.http.templates import compiled
from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.model import DataMap, MapCollection
from services.fulfillment.datamap.spelling import is_spelling_of, sought
from services.fulfillment.datamap.systems import SecretMissingError, System
from services.fulfillment.ports import Key
from services.fulfillment.rowwise.rows import Row, RowFailure, same

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Reach:
    """What every request of a collection may use, and how much is too much."""

    client: Client
    settings: Mapping[str, Any]
    max_matches: int
    at_once: int


class Table:
    """One collection of the map."""

    def __init__(self, collection: MapCollection, spec: CollectionSpec, reach: Reach) -> None:
        name = collection.name
        self.collection = collection
        self.spec = spec
        self.shape: Shape = shape(collection, spec)
        self.reach = reach
        self._find: dict[str, Asking] = {
            column: Asking(reach.client, lookup, f"{name}.find.{column}")
            for column, lookup in spec.find.items()
            if not isinstance(lookup, Derived)
        }
        self._derive = {
            column: compiled(lookup.derive)
            for column, lookup in spec.find.items()
            if isinstance(lookup, Derived)
        }
        self._read = Asking(reach.client, spec.read, f"{name}.read", by_key=True) if spec.read else None
        self._traces = [Asking(reach.client, trace, f"{name}.traces", by_key=True) for trace in spec.traces]

    @property
    def name(self) -> str:
        return self.collection.name

    @property
    def readable(self) -> bool:
        return self._read is not None

    @property
    def looks_up(self) -> bool:
        """Whether the system itself says which rows it has: a key that is derived tells nothing of what is held."""
        return self.readable or not self._derive

    def found_by(self, column: str) -> bool:
        """Whether rows can be asked for by this column."""
        return column in self._find or self._is_key(column)

    async def matching(self, column: str, seed: str, match: Match) -> list[Row]:
        """The rows in which this column is this identity; what only resembles it is left out."""
        most = self.collection.max_matches or self.reach.max_matches
        value = sought(seed, match)
        if column in self._derive:
            made = self._derive[column]({"value": value, "settings": self.reach.settings})
            return [{self.shape.key[0]: str(made), column: value}]
        raw = await self._asked(column, [value], most=most)
        rows = [self.shape.row(each) for each in raw]
        if column in self._find and self._find[column].trusted:
            return rows
        return [row for row in rows if is_spelling_of(row.get(column), seed, match)]

    async def having(self, column: str, values: Sequence[Any], *, most: int) -> list[Row]:
        """The rows in which this column equals one of the values."""
        width = self._find[column].many if column in self._find else 1
        chunks = [values[start : start + width] for start in range(0, len(values), width)]
        asked = partial(self._asked, column, most=most)
        found = await at_once(asked, chunks, width=self.reach.at_once)
        rows = [self.shape.row(raw) for each in found for raw in each]
        return [row for row in rows if any(same(row.get(column), value) for value in values)]

    async def held(self, keys: Sequence[Key]) -> dict[Key, Row]:
        """The rows of these keys that are there, or that have left a trace; without a way to read, all of them."""
        if self._read is None:
            return {key: dict(zip(self.shape.key, key, strict=True)) for key in keys}
        width = self._read.many
        chunks = [keys[start : start + width] for start in range(0, len(keys), width)]
        found = await at_once(self._chunk, chunks, width=self.reach.at_once)
        return {key: row for each in found for key, row in each.items()}

    def named(self, key: Key) -> dict[str, Any]:
        """What a template may call this row's key by."""
        names = dict(zip(self.shape.key, key, strict=True))
        single = {"id": key[0]} if len(key) == 1 else {}
        return {**names, **single, "settings": self.reach.settings}

    async def _chunk(self, keys: Sequence[Key]) -> dict[Key, Row]:
        assert self._read is not None  # noqa: S101 - asked by `held` alone
        if self._read.many > 1:
            asked = {"ids": [key[0] for key in keys], "settings": self.reach.settings}
            raw = await self._read.rows(asked, most=len(keys))
        else:
            raw = await self._read.rows(self.named(keys[0]), most=len(keys))
        rows = self._keyed(raw, keys)
        for key in keys:
            if key not in rows and await self._left_a_trace(key):
                rows[key] = dict(zip(self.shape.key, key, strict=True))
        return rows

    def _keyed(self, raw: Iterable[Any], keys: Sequence[Key]) -> dict[Key, Row]:
        """By the keys that were asked for: a system may write 12 where it was asked for "12"."""
        wanted = {tuple(map(str, key)): key for key in keys}
        rows: dict[Key, Row] = {}
        for row in (self.shape.row(each) for each in raw):
            key = wanted.get(tuple(map(str, self.shape.key_of(row))))
            if key is None:
                raise Failure("schema", f"{self.name}.read: the answer is about another row")
            rows[key] = row
        return rows

    async def _left_a_trace(self, key: Key) -> bool:
        for trace in self._traces:
            if await trace.rows(self.named(key), most=1_000_000):
                return True
        return False

    async def _asked(self, column: str, values: Sequence[Any], *, most: int) -> list[Any]:
        settings = self.reach.settings
        if column in self._find:
            variables = {"value": values[0], "values": list(values), "settings": settings}
            return await self._find[column].rows(variables, most=most)
        if self._read is not None and self._is_key(column):
            variables = {**self.named((values[0],)), "ids": list(values)}
            return await self._read.rows(variables, most=most)
        raise Failure("schema", f"{self.name}: the connector has no way to find rows by {column}")

    def _is_key(self, column: str) -> bool:
        return self._read is not None and self.shape.key == (column,)


class Tables:
    """All collections of the map, and the links between them."""

    def __init__(self, system: System, connector: Connector, client: Client) -> None:
        limits = system.limits
        reach = Reach(client, system.settings, limits.max_matches, limits.connections)
        self.datamap: DataMap = system.datamap
        self._tables = {
            name: Table(collection, connector.collections[name], reach)
            for name, collection in system.datamap.collections.items()
        }

    def __getitem__(self, name: str) -> Table:
        if name not in self._tables:
            raise Failure("schema", f"the collection {name} is no longer in the map")
        return self._tables[name]

    async def held(self, names: Mapping[str, Sequence[Key]], cut_off: datetime) -> dict[str, dict[Key, Row]]:
        """What is still there of these keys, leaving out rows that came after the cut-off under an old key."""
        found: dict[str, dict[Key, Row]] = {}
        for name, keys in sorted(names.items()):
            rows = await self[name].held(keys)
            found[name] = {key: row for key, row in rows.items() if self[name].shape.until(row, cut_off)}
        return found


async def at_once(call: Callable[[T], Awaitable[R]], items: Sequence[T], *, width: int) -> list[R]:
    """Call it for all of them, so many at a time; the first failure ends the rest and is the one that is raised."""
    if len(items) == 1:
        return [await call(items[0])]
    gate = asyncio.Semaphore(width)

    async def one(item: T) -> R:
        async with gate:
            return await call(item)

    first: Exception | None = None
    tasks: list[asyncio.Task[R]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except* (Failure, RowFailure, SecretMissingError) as failed:
        first = failed.exceptions[0]
    if first is not None:
        raise first
    return [task.result() for task in tasks]
