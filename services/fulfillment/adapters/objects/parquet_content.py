"""Parquet: a row group at a time; columns that nobody asks about are not read before a file is written anew."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from services.fulfillment.adapters.objects.contents import Change, Stretch
from services.fulfillment.adapters.objects.failures import Failure
from services.fulfillment.columnar.arrays import compacted, replaced, whole
from services.fulfillment.columnar.schemas import Path, lacks, leaves_of, paths_in, several
from services.fulfillment.columnar.sifting import reading_of, sifted
from services.fulfillment.datamap.model import MapField
from services.fulfillment.rowwise.rows import Row
from services.fulfillment.rowwise.wanted import Wanted

UNREADABLE = (pa.ArrowException, OSError, ValueError, OverflowError)
_UNREAD = "a Parquet file has values that cannot be read"


@contextmanager
def readable() -> Iterator[None]:
    """What pyarrow says of values may quote one: only that it cannot read them is passed on."""
    try:
        yield
    except UNREADABLE:
        raise Failure("schema", _UNREAD) from None


class ParquetContent:
    """One Parquet file; what is written anew keeps schema, metadata, compression and row groups."""

    def __init__(self, file: BinaryIO, mapped: Collection[MapField]) -> None:
        try:
            file.seek(0)
            self._file = pq.ParquetFile(file)
            self._mapped = _Mapped(self._file, mapped)
        except UNREADABLE:
            raise Failure("schema", "a file is not readable as Parquet") from None

    def columns(self) -> AbstractSet[str]:
        """The schema's names, and the paths of what is inside."""
        return set(paths_in(self._file.schema_arrow))

    def closed(self) -> AbstractSet[str]:
        """The mapped paths that lead into what cannot be looked into."""
        return {name for name, lack in self._mapped.lacking.items() if lack == "closed"}

    def several(self) -> AbstractSet[str]:
        """The mapped identities in lists."""
        return set(several(self._file.schema_arrow, self._mapped.fields))

    def stretches(self) -> "Iterator[ParquetStretch]":
        """Each row group."""
        for number in range(self._file.num_row_groups):
            yield ParquetStretch(self._file, number, self._mapped)

    def rewrite(self, out: BinaryIO, decide: Callable[[Stretch], Mapping[int, Change]]) -> None:
        """Write every row group, without the rows that go."""
        paths = self._mapped.reading.paths
        self._write(out, (_changed(each.whole(), decide(each), paths) for each in self.stretches()))

    def type_of(self, column: str) -> Any:
        """What the column's values are."""
        return self._file.schema_arrow.field(column).type

    def groups(self, most: int) -> Iterator[dict[int, int]]:
        """Row groups with their rows, as many as have so many rows together, and never none."""
        some = dict[int, int]()
        for number in range(self._file.num_row_groups):
            rows = self._file.metadata.row_group(number).num_rows
            if some and sum(some.values()) + rows > most:
                yield some
                some = {}
            some[number] = rows
        if some:
            yield some

    def read(self, groups: Iterable[int], columns: list[str]) -> Any:
        """These columns of these row groups."""
        return self._file.read_row_groups(list(groups), columns=columns)

    def without(self, out: BinaryIO, staying: Mapping[int, Any]) -> None:
        """Write every row group, those that are named with the rows that stay."""
        tables = ((n, self._file.read_row_group(n)) for n in range(self._file.num_row_groups))
        self._write(out, (one.filter(staying[n]) if n in staying else one for n, one in tables))

    def _write(self, out: BinaryIO, tables: Iterable[Any]) -> None:
        try:
            with pq.ParquetWriter(out, self._file.schema_arrow, **self._way()) as writer:
                for table in map(_compacted, tables):
                    if table.num_rows:
                        writer.write_table(table, row_group_size=table.num_rows)
        except UNREADABLE:
            raise Failure("schema", "a Parquet file cannot be written anew as its map wants it") from None

    def _way(self) -> dict[str, Any]:
        """How it was written: older readers know no other times than those of twelve bytes."""
        stored = self._file.schema
        old = any(stored.column(place).physical_type == "INT96" for place in range(len(stored)))
        return {"compression": self._compression(), "use_deprecated_int96_timestamps": old}

    def _compression(self) -> str:
        metadata = self._file.metadata
        if not metadata.num_row_groups or not metadata.num_columns:
            return "snappy"
        named = str(metadata.row_group(0).column(0).compression).lower()
        return {"uncompressed": "none", "lz4_raw": "lz4"}.get(named, named)


class ParquetStretch:
    """One row group."""

    def __init__(self, file: Any, number: int, mapped: "_Mapped") -> None:
        self._file = file
        self._number = number
        self._mapped = mapped

    def whole(self) -> Any:
        """Every column."""
        return self._file.read_row_group(self._number)

    def rows(self, wanted: Wanted) -> Iterator[tuple[int, Row]]:
        """Compare whole columns first, and row by row what is left."""
        reading = self._mapped.reading
        if not set(wanted.columns) <= set(reading.paths):
            return
        try:
            likely = sifted(self._column, reading.paths, wanted)
            if not len(likely):
                return
            table = self._file.read_row_group(self._number, columns=self._mapped.stored(reading.paths))
            found = zip(likely.to_pylist(), reading.rows(table.take(likely)), strict=True)
        except UNREADABLE:
            raise Failure("schema", _UNREAD) from None
        yield from ((position, row) for position, row in found if wanted.holds(row))

    def _column(self, name: str) -> Any:
        table = self._file.read_row_group(self._number, columns=self._mapped.stored([name]))
        return table.column(0)


class _Mapped:
    """What the map names of a file, and as which columns that is stored: of a struct no more is read."""

    def __init__(self, file: Any, fields: Collection[MapField]) -> None:
        schema, stored = file.schema_arrow, file.schema
        self.fields = fields
        self.lacking = lacks(schema, fields)
        self.reading = reading_of(schema, fields)
        leaves = leaves_of(schema)
        self._stored = [(path, stored.column(place).path) for place, path in enumerate(leaves)]

    def stored(self, names: Iterable[str]) -> list[str]:
        """The stored columns of these fields."""
        ways = [self.reading.paths[name] for name in names]
        return [name for path, name in self._stored if any(path[: len(way)] == way for way in ways)]


def _changed(table: Any, changes: Mapping[int, Change], paths: Mapping[str, Path]) -> Any:
    if not changes:
        return table
    changed = {position: change for position, change in changes.items() if change is not None}
    for name in sorted({name for change in changed.values() for name in change}):
        first, *inside = paths[name]
        place = table.schema.get_field_index(first)
        values = {position: change[name] for position, change in changed.items() if name in change}
        column = replaced(whole(table.column(place)), inside, values)
        table = table.set_column(place, table.schema.field(place), column)
    return table.filter(_staying(table, changes))


def _staying(table: Any, changes: Mapping[int, Change]) -> Any:
    stays = [changes.get(position, {}) is not None for position in range(table.num_rows)]
    return pa.array(stays, pa.bool_())


def _compacted(table: Any) -> Any:
    """Without what dictionaries keep of rows that went."""
    for place, field in enumerate(table.schema):
        column = whole(table.column(place))
        fresh = compacted(column)
        if fresh is not column:
            table = table.set_column(place, field, fresh)
    return table
