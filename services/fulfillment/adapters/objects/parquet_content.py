"""Parquet: a row group at a time; columns that nobody asks about are not read before a file is written anew."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from functools import reduce
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from services.fulfillment.adapters.objects.contents import Change, Stretch
from services.fulfillment.adapters.objects.failures import Failure
from services.fulfillment.adapters.objects.wanted import Wanted
from services.fulfillment.rowwise.rows import Row

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

    def __init__(self, file: BinaryIO, mapped: AbstractSet[str]) -> None:
        self._mapped = mapped
        try:
            file.seek(0)
            self._file = pq.ParquetFile(file)
        except UNREADABLE:
            raise Failure("schema", "a file is not readable as Parquet") from None

    def columns(self) -> AbstractSet[str]:
        """The schema's names."""
        return set(self._file.schema_arrow.names)

    def stretches(self) -> "Iterator[ParquetStretch]":
        """Each row group."""
        names = sorted(self._mapped & self.columns())
        for number in range(self._file.num_row_groups):
            yield ParquetStretch(self._file, number, names)

    def rewrite(self, out: BinaryIO, decide: Callable[[Stretch], Mapping[int, Change]]) -> None:
        """Write every row group, without the rows that go."""
        self._write(out, (_changed(stretch.whole(), decide(stretch)) for stretch in self.stretches()))

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
            with pq.ParquetWriter(out, self._file.schema_arrow, compression=self._compression()) as writer:
                for table in map(_compacted, tables):
                    if table.num_rows:
                        writer.write_table(table, row_group_size=table.num_rows)
        except UNREADABLE:
            raise Failure("schema", "a Parquet file cannot be written anew as its map wants it") from None

    def _compression(self) -> str:
        metadata = self._file.metadata
        if not metadata.num_row_groups or not metadata.num_columns:
            return "snappy"
        named = str(metadata.row_group(0).column(0).compression).lower()
        return {"uncompressed": "none", "lz4_raw": "lz4"}.get(named, named)


class ParquetStretch:
    """One row group."""

    def __init__(self, file: Any, number: int, names: list[str]) -> None:
        self._file = file
        self._number = number
        self._names = names

    def whole(self) -> Any:
        """Every column."""
        return self._file.read_row_group(self._number)

    def rows(self, wanted: Wanted) -> Iterator[tuple[int, Row]]:
        """Compare whole columns first, and row by row what is left."""
        if not set(wanted.columns) <= set(self._names):
            return
        try:
            likely = self._likely(wanted)
            if not len(likely):
                return
            table = self._file.read_row_group(self._number, columns=self._names).take(likely)
            found = zip(likely.to_pylist(), table.to_pylist(), strict=True)
        except UNREADABLE:
            raise Failure("schema", _UNREAD) from None
        yield from ((position, row) for position, row in found if wanted.holds(row))

    def _likely(self, wanted: Wanted) -> Any:
        table = self._file.read_row_group(self._number, columns=sorted(set(wanted.columns)))
        masks = [
            _is_in(table[column], {values[place] for values in wanted.values}, wanted.match)
            for place, column in enumerate(wanted.columns)
        ]
        return pc.indices_nonzero(reduce(pc.and_, masks))


def _is_in(column: Any, values: set[str], match: str) -> Any:
    """Where the column may hold one of the values; a type that is compared in Python is not sifted here."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        text = column.cast(pa.string())
        if match == "digits":
            text = pc.replace_substring_regex(text, pattern=r"\D", replacement="")
        elif match in {"lower", "sha256"}:
            text = pc.utf8_lower(pc.utf8_trim_whitespace(text))
        return pc.fill_null(pc.is_in(text, value_set=pa.array(sorted(values), pa.string())), fill_value=False)
    return pc.is_valid(column)


def _changed(table: Any, changes: Mapping[int, Change]) -> Any:
    if not changes:
        return table
    replaced = {position: change for position, change in changes.items() if change is not None}
    for name in sorted({name for change in replaced.values() for name in change}):
        place = table.schema.get_field_index(name)
        values = table[name].to_pylist()
        for position, change in replaced.items():
            values[position] = change.get(name, values[position])
        table = table.set_column(
            place, table.schema.field(place), pa.array(values, table.schema.field(place).type)
        )
    return table.filter(_staying(table, changes))


def _staying(table: Any, changes: Mapping[int, Change]) -> Any:
    stays = [changes.get(position, {}) is not None for position in range(table.num_rows)]
    return pa.array(stays, pa.bool_())


def _compacted(table: Any) -> Any:
    """A dictionary keeps values of rows that went, also in row groups that never held them: make it anew."""
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            plain = table.column(place).combine_chunks().dictionary_decode()
            table = table.set_column(place, field, plain.dictionary_encode().cast(field.type))
    return table
