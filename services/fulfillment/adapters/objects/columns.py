"""Many people's rows of Parquet files, looked for and taken out by whole columns: no row becomes an object of ours.

It does what most lists ask: to erase rows that are known by one column. Whatever is otherwise is done row by row.
Row groups are not passed over for what their statistics say: these are the writer's word, and a proof needs none.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from services.fulfillment.adapters.objects.failures import Failure
from services.fulfillment.adapters.objects.packing import kind_of
from services.fulfillment.adapters.objects.parquet_content import ParquetContent, readable
from services.fulfillment.adapters.objects.sought import Numbers, Sought
from services.fulfillment.adapters.objects.store import Changes, Stored
from services.fulfillment.adapters.objects.tables import Table, Tables
from services.fulfillment.bulk import alike
from services.fulfillment.datamap.model import MapCollection
from services.fulfillment.ports import (
    RIGHTS_OF_OTHERS,
    DatasetCount,
    Gone,
    Proof,
    Retained,
    StillPresent,
)

MOST_ROWS = 1 << 20
"""Rows whose keys are compared at once; what they are compared with is made ready anew each time."""


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
) -> list[tuple[DatasetCount, ...]] | None:
    """Write the touched files anew without the rows, and say what each one's receipt will count.

    None, and nothing is changed, where one row is two people's.
    """
    done = dict[str, Sequence[int]]()
    for name, one in everybody.items():
        found = [
            each for stored in tables[name].states for each in _stage(tables[name], stored, one, changes)
        ]
        counts = one.of_each(found)
        if counts is None:
            return None
        done[name] = counts
    changes.commit()
    return _counts(tables, everybody, done)


def proofs(tables: Tables, everybody: Mapping[str, Sought], leftovers: int) -> list[Proof] | None:
    """Read the key columns of all files back, once for everybody; None where one row is two people's."""
    lefts = list[list[int]]()
    for name, one in everybody.items():
        left = one.of_each(
            [each for stored in tables[name].states for each in _look(tables[name], stored, one)]
        )
        if left is None:
            return None
        lefts.append(left)
    still = [leftovers + each for each in map(sum, zip(*lefts, strict=True))]

    def proof(shape: tuple[int, ...]) -> Proof:
        checked = dict(zip(everybody, shape[1:], strict=True))
        return StillPresent(shape[0]) if shape[0] else Gone({name: n for name, n in checked.items() if n})

    return alike([still, *(one.own for one in everybody.values())], proof)


def _stage(table: Table, stored: Stored, one: Sought, changes: Changes) -> list[Any]:
    staying, found = dict[int, Any](), list[Any]()
    with _content(table, stored) as content:
        for group, at in _marked(table, content, one):
            found.append(at.drop_null())
            if len(found[-1]):
                staying[group] = pc.is_null(at)
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
    """The row groups near which any key is: for each row the place of its key in the list, if it is meant."""
    [key], created = table.shape.key, table.collection.created_at
    for groups in content.groups(MOST_ROWS):
        at = _places(one, content.read(groups, [key])[key])
        if at.null_count == len(at):
            continue
        if created is not None:
            at = _in_time(one, at, content.read(groups, [created.field])[created.field])
        start = 0
        for group, rows in groups.items():
            yield group, at.slice(start, rows).combine_chunks()
            start += rows


def _places(one: Sought, keys: Any) -> Any:
    kind = pa.int64() if pa.types.is_integer(keys.type) else keys.type
    return pc.index_in(keys.cast(kind), value_set=one.within(kind))


def _in_time(one: Sought, at: Any, stamps: Any) -> Any:
    """The places of rows that are no newer than the cut-off of whom they belong to."""
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

    return alike([one.numbers(done[name]) for name, one in everybody.items()], told)


def _count(collection: MapCollection, numbers: int | tuple[int, int]) -> DatasetCount:
    done, shared = (numbers, 0) if isinstance(numbers, int) else numbers
    retained = [Retained(RIGHTS_OF_OTHERS, shared)] if shared else []
    retained += [Retained(exemption, done) for exemption in collection.exemptions if done]
    return DatasetCount(collection.name, erased=done, retained=tuple(retained))


def _comparable(table: Table, content: ParquetContent, one: Sought) -> bool:
    """Numbers with numbers, texts with texts, and a time that is one."""
    [key], created = table.shape.key, table.collection.created_at
    fields = table.collection.fields
    if fields[key].steps or (created is not None and fields[created.field].steps):
        return False
    if created is not None and not pa.types.is_timestamp(content.type_of(created.field)):
        return False
    if not one.parts:
        return True
    kind = content.type_of(key)
    if isinstance(one.parts[0], int):
        return bool(pa.types.is_signed_integer(kind)) and one.fits
    return kind in {pa.string(), pa.large_string()}
