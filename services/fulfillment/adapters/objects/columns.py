"""Many people's rows of Parquet files, looked for and taken out by whole columns: no row becomes an object of ours.

It does what most lists ask: to erase rows that are known by one column. Whatever is otherwise is done row by row.
Row groups are not passed over for what their statistics say: these are the writer's word, and a proof needs none.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import accumulate, chain, repeat
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from services.fulfillment.adapters.objects.failures import Failure
from services.fulfillment.adapters.objects.packing import kind_of
from services.fulfillment.adapters.objects.parquet_content import ParquetContent, readable
from services.fulfillment.adapters.objects.store import Changes, Stored
from services.fulfillment.adapters.objects.tables import Table, Tables
from services.fulfillment.bulk import Order, alike
from services.fulfillment.datamap.graph import child_and_parent
from services.fulfillment.datamap.model import DataMap, MapCollection
from services.fulfillment.ports import (
    RIGHTS_OF_OTHERS,
    DatasetCount,
    Gone,
    Key,
    Proof,
    Retained,
    StillPresent,
)

MOST_ROWS = 1 << 20
"""Rows whose keys are compared at once; what they are compared with is made ready anew each time."""


Rows: TypeAlias = Mapping[str, Sequence[Key]]
Numbers: TypeAlias = int | tuple[int, int] | None
"""What was done to one's own rows; with how many are shared, if any are; nothing where the table was not asked."""


class Sought:
    """Everybody's keys of one collection, in a row; how many of them are whose; and until when each counts."""

    def __init__(
        self, name: str, orders: Sequence[Order], rows: Sequence[Rows], shared: Sequence[Rows]
    ) -> None:
        self._name = name
        self._orders = orders
        self._asked = rows, shared
        self._held = [each.get(name, ()) for each in rows]
        self._keys = [*chain.from_iterable(self._held)]
        self.own = [*map(len, self._held)]
        self.parts = [key[0] for key in self._keys]
        self._as: dict[Any, Any] = {}

    @property
    def is_plain(self) -> bool:
        """No key names an older version, belongs to two people, or is of another type than the next."""
        one_type = len(set(map(type, self.parts))) <= 1
        return one_type and set(map(len, self._keys)) <= {1} and len(set(self.parts)) == len(self.parts)

    def numbers(self, done: Sequence[int]) -> Iterable[Numbers]:
        """What a receipt counts of each: mostly everybody has rows here, and nobody shares any."""
        if 0 not in self.own and not any(self._asked[1]):
            return done
        name = self._name
        return (
            (did, len(shared.get(name, ()))) if name in rows or name in shared else None
            for did, rows, shared in zip(done, *self._asked, strict=True)
        )

    def keys(self, kind: Any) -> Any:
        """The keys as an array of this type."""
        if kind not in self._as:
            self._as[kind] = pa.array(self.parts, kind)
        return self._as[kind]

    def until(self, kind: Any) -> Any:
        """The one cut-off of all, or each key's own, as times of this type."""
        if kind not in self._as:
            untils = [one.cut_off for one in self._orders]
            plain = {one: one.astimezone(UTC) if kind.tz else _naive(one) for one in set(untils)}
            pairs = zip(untils, self.own, strict=True)
            each = chain.from_iterable(repeat(plain[until], number) for until, number in pairs)
            [only, *others] = plain.values()
            self._as[kind] = pa.array(each, kind) if others else pa.scalar(only, kind)
        return self._as[kind]

    def of_each(self, found: Sequence[Any]) -> list[int]:
        """How many of each person's keys are at these places of the list."""
        there = pc.unique(pa.chunked_array(found, pa.int32()))
        if len(there) == len(self.parts):
            return self.own
        places, ends = set(there.to_pylist()), [*accumulate(self.own)]
        return [
            sum(place in places for place in range(end - number, end))
            for end, number in zip(ends, self.own, strict=True)
        ]


def sought(datamap: DataMap, right: str, orders: Sequence[Order]) -> dict[str, Sought] | None:
    """Everybody's keys, where all of this can be done by columns as far as map and keys tell, and all have any."""
    frozen = [one.frozen for one in orders]
    rows, shared = [one.rows for one in frozen], [one.shared for one in frozen]
    names = sorted({*chain.from_iterable(rows), *chain.from_iterable(shared)})
    parents = {child_and_parent(each, datamap)[1].collection for each in datamap.references}
    if right != "delete" or not all(_is_plain(datamap, name) and name not in parents for name in names):
        return None
    found = {name: Sought(name, orders, rows, shared) for name in names}
    busy = any(0 not in one.own for one in found.values())
    return found if busy and all(one.is_plain for one in found.values()) else None


def suits(tables: Tables, everybody: Mapping[str, Sought]) -> bool:
    """Whether every file is one that can be asked so.

    Raises:
        Failure: a file cannot be read, or has not the columns that the map names.
    """
    for name, one in everybody.items():
        table = tables[name]
        for stored in table.states:
            if not stored.current or kind_of(stored.name) != ".parquet":
                return False
            with table.content(stored) as content:
                if missing := sorted(set(table.collection.fields) - (content.columns() or set())):
                    raise Failure("schema", f"{name}.{missing[0]} is missing")
                if not (isinstance(content, ParquetContent) and _comparable(table, content, one)):
                    return False
    return True


def erase(
    tables: Tables, changes: Changes, everybody: Mapping[str, Sought]
) -> list[tuple[DatasetCount, ...]]:
    """Write the touched files anew without the rows, and say what each one's receipt will count."""
    done = dict[str, Sequence[int]]()
    for name, one in everybody.items():
        found = [
            each for stored in tables[name].states for each in _stage(tables[name], stored, one, changes)
        ]
        done[name] = one.of_each(found)
    changes.commit()
    return _counts(tables, everybody, done)


def proofs(tables: Tables, everybody: Mapping[str, Sought], number: int, leftovers: int) -> list[Proof]:
    """Read the key columns of all files back, once for everybody."""
    found = {
        name: [each for stored in tables[name].states for each in _look(tables[name], stored, one)]
        for name, one in everybody.items()
    }
    left = [one.of_each(found[name]) for name, one in everybody.items() if found[name]]
    lefts = map(sum, zip(*left, strict=True)) if left else repeat(0, number)

    def proof(shape: tuple[int, ...]) -> Proof:
        checked = dict(zip(everybody, shape[1:], strict=True))
        still = shape[0] + leftovers
        return StillPresent(still) if still else Gone({name: n for name, n in checked.items() if n})

    return alike(zip(lefts, *(one.own for one in everybody.values()), strict=True), proof)


def _stage(table: Table, stored: Stored, one: Sought, changes: Changes) -> list[Any]:
    staying, found = dict[int, Any](), list[Any]()
    with _content(table, stored) as content:
        for group, at in _marked(table, content, one):
            staying[group] = pc.is_null(at)
            found.append(at.drop_null())
        if staying:
            with changes.stage(stored) as out:
                content.without(out, staying)
    return found


def _look(table: Table, stored: Stored, one: Sought) -> list[Any]:
    with _content(table, stored) as content:
        return [at.drop_null() for _, at in _marked(table, content, one)]


@contextmanager
def _content(table: Table, stored: Stored) -> Iterator[ParquetContent]:
    with table.content(stored) as content, readable():
        if not isinstance(content, ParquetContent):
            raise Failure("moved", "a file was replaced by one of another kind")
        yield content


def _marked(table: Table, content: ParquetContent, one: Sought) -> Iterator[tuple[int, Any]]:
    """The row groups that hold rows that are meant: for each row the place of its key in the list, or nothing."""
    [key], created = table.shape.key, table.collection.created_at
    columns = [key, *([created.field] if created else [])]
    for groups in content.groups(MOST_ROWS):
        read = content.read(groups, columns)
        at = _places(one, read[key], read[created.field] if created else None)
        start = 0
        for group, rows in groups.items():
            own = at.slice(start, rows)
            start += rows
            if own.null_count < rows:
                yield group, own.combine_chunks()


def _places(one: Sought, keys: Any, stamps: Any) -> Any:
    kind = pa.int64() if pa.types.is_integer(keys.type) else keys.type
    at = pc.index_in(keys.cast(kind), value_set=one.keys(kind))
    if stamps is None:
        return at
    wanted = pa.timestamp("us", "UTC" if stamps.type.tz else None)
    # Finer than a microsecond nobody's cut-off is.
    stamps = stamps.cast(wanted, safe=stamps.type.unit != "ns")
    until = one.until(wanted)
    early = pc.less_equal(stamps, until if isinstance(until, pa.Scalar) else pc.take(until, at))
    meant = pc.fill_null(pc.or_kleene(pc.is_null(stamps), early), fill_value=False)
    return pc.if_else(meant, at, pa.scalar(None, at.type))


def _counts(
    tables: Tables, everybody: Mapping[str, Sought], done: Mapping[str, Sequence[int]]
) -> list[tuple[DatasetCount, ...]]:
    """Each one's receipt as if they had been alone; those of whom the same is said share it."""
    collections = [tables[name].collection for name in everybody]

    def told(shape: tuple[Numbers, ...]) -> tuple[DatasetCount, ...]:
        each = zip(collections, shape, strict=True)
        return tuple(_count(collection, numbers) for collection, numbers in each if numbers is not None)

    columns = [one.numbers(done[name]) for name, one in everybody.items()]
    return alike(zip(*columns, strict=True), told)


def _count(collection: MapCollection, numbers: int | tuple[int, int]) -> DatasetCount:
    done, shared = (numbers, 0) if isinstance(numbers, int) else numbers
    retained = [Retained(RIGHTS_OF_OTHERS, shared)] if shared else []
    retained += [Retained(exemption, done) for exemption in collection.exemptions if done]
    return DatasetCount(collection.name, erased=done, retained=tuple(retained))


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)


def _is_plain(datamap: DataMap, name: str) -> bool:
    collection = datamap.collections.get(name)
    return collection is not None and collection.treatment == "erase" and len(collection.primary_key) == 1


def _comparable(table: Table, content: ParquetContent, one: Sought) -> bool:
    """Numbers with numbers, texts with texts, and a time that is one."""
    [key], created = table.shape.key, table.collection.created_at
    if created is not None and not pa.types.is_timestamp(content.type_of(created.field)):
        return False
    if not one.parts:
        return True
    kind, numbers = (
        content.type_of(key),
        [part for part in (min(one.parts), max(one.parts)) if isinstance(part, int)],
    )
    if not numbers:
        return kind in {pa.string(), pa.large_string()}
    return bool(pa.types.is_signed_integer(kind)) and all(-(2**63) <= number < 2**63 for number in numbers)
