"""Which rows of whole columns may be meant: a mask for each column, so that few rows become objects of ours."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from services.fulfillment.columnar.arrays import leaves, whole
from services.fulfillment.columnar.schemas import Path, goes_through_list, lack_of, steps_of
from services.fulfillment.datamap.model import MapField
from services.fulfillment.rowwise.documents import with_nested
from services.fulfillment.rowwise.rows import Row
from services.fulfillment.rowwise.wanted import Wanted


def sifted(read: Callable[[str], Any], paths: Mapping[str, Path], wanted: Wanted) -> Any:
    """The places of the rows that may be meant; `read` gives the outermost column of a field."""
    masks = [
        _mask(read(name), paths[name][1:], {values[place] for values in wanted.values}, wanted.match)
        for place, name in enumerate(wanted.columns)
    ]
    return pc.indices_nonzero(reduce(pc.and_, masks))


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows are made of the mapped columns of one schema."""

    paths: Mapping[str, Path]
    nested: tuple[str, ...]
    listed: tuple[str, ...]

    def rows(self, table: Any) -> list[Row]:
        """Rows with their nested values under their paths."""
        documents: list[Row] = table.to_pylist()
        return [self._row(document) for document in documents] if self.nested or self.listed else documents

    def _row(self, document: Row) -> Row:
        row = with_nested(document, self.nested)
        absent = {name for name in self.listed if row.get(name) is None}
        return {name: value for name, value in row.items() if name not in absent} if absent else row


def reading_of(schema: Any, fields: Iterable[MapField]) -> Reading:
    """As far as the schema has these fields. A list that is not there holds no value, not one that is nothing."""
    there = {field.name: field for field in fields if lack_of(schema, field) is None}
    paths = {name: steps_of(field) for name, field in there.items()}
    listed = tuple(n for n, path in paths.items() if goes_through_list(schema.field(path[0]).type, path[1:]))
    return Reading(paths, tuple(name for name, field in there.items() if field.steps), listed)


def _mask(column: Any, path: Path, values: set[str], match: str) -> Any:
    array = whole(column)
    found, rows = leaves(array, path)
    hits = _is_in(found, values, match)
    if rows is None:
        return hits
    return pc.is_in(pa.array(range(len(array)), rows.type), value_set=rows.filter(hits))


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
