"""Values inside whole columns: taken out to be compared, and others put in their place.

What stands beside a value is never made anew: it is copied as it lies there, so that no time loses its nanoseconds
and no type changes.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from services.fulfillment.columnar.schemas import goes_through_list, is_list

Values = Sequence[Iterator[Any]]
"""For each row what its values become, one after the other."""


def leaves(array: Any, path: Sequence[str]) -> tuple[Any, Any]:
    """The values at the end of a path, and for each the row that it stands in; no rows where each has one value."""
    rows = None
    while path or is_list(array.type):
        if is_list(array.type):
            parents = pc.list_parent_indices(array)
            rows = parents if rows is None else rows.take(parents)
            array = pc.list_flatten(array)
        else:
            array, path = pc.struct_field(array, path[0]), path[1:]
    return array, rows


def whole(column: Any) -> Any:
    """A column as one array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def replaced(array: Any, path: Sequence[str], values: Mapping[int, Any]) -> Any:
    """The column with others at the end of the path in some rows.

    A list of values is given out one by one, anything else to each place. In a list nothing is put where nothing was;
    a struct that is not there is made, so that a flag can be set in it.
    """
    rows = pa.array(list(values), pa.int64())
    given = [iter(each) if isinstance(each, list) else repeat(each) for each in values.values()]
    owners = pa.array(range(len(rows)), pa.int64())
    if path or not all(each is None for each in values.values()):
        making = not goes_through_list(array.type, path)
        made = _Putting(given, making=making).put(array.take(rows), path, owners)
    else:
        made = pa.nulls(len(rows), array.type)
    return _mixed(array, rows.to_pylist(), made)


def compacted(array: Any) -> Any:
    """A dictionary keeps values of rows that went, also of those that another part of the file held: make it anew.

    Raises:
        ValueError: one stands where it cannot be reached, as in a map.
    """
    kind = array.type
    if not _has_dictionary(kind):
        return array
    if pa.types.is_dictionary(kind):
        return array.dictionary_decode().dictionary_encode().cast(kind)
    if is_list(kind):
        return _listed(array, compacted(pc.list_flatten(array)))
    if pa.types.is_struct(kind):
        return _struct(array, [compacted(each) for each in array.flatten()], pc.is_null(array))
    raise ValueError


class _Putting:
    def __init__(self, values: Values, *, making: bool) -> None:
        self._values = values
        self._making = making

    def put(self, array: Any, path: Sequence[str], owners: Any) -> Any:
        """The same array with the next of its owner's values in each place that has an owner."""
        if is_list(array.type):
            inner = self.put(pc.list_flatten(array), path, owners.take(pc.list_parent_indices(array)))
            return _listed(array, inner)
        if path:
            return self._inside(array, path, owners)
        places = pc.indices_nonzero(pc.is_valid(owners))
        made = [next(self._values[owner]) for owner in owners.take(places).to_pylist()]
        return _mixed(array, places.to_pylist(), pa.array(made, array.type))

    def _inside(self, array: Any, path: Sequence[str], owners: Any) -> Any:
        nobody = pa.scalar(None, owners.type)
        within = owners if self._making else pc.if_else(pc.is_valid(array), owners, nobody)
        parts = array.flatten()
        place = array.type.get_field_index(path[0])
        parts[place] = self.put(parts[place], path[1:], within)
        return _struct(array, parts, pc.and_(pc.is_null(array), pc.is_null(within)))


def _mixed(old: Any, places: Sequence[int], new: Any) -> Any:
    if not places:
        return old
    taken = list(range(len(old)))
    for number, place in enumerate(places):
        taken[place] = len(old) + number
    return pa.concat_arrays([old, new]).take(pa.array(taken, pa.int64()))


def _listed(array: Any, inner: Any) -> Any:
    """Lists as long as these of other values."""
    lengths = pc.fill_null(pc.list_value_length(array), 0).cast(pa.int64())
    ends = pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(lengths)])
    large = pa.types.is_large_list(array.type)
    make = pa.LargeListArray if large else pa.ListArray
    offsets = ends if large else ends.cast(pa.int32())
    return make.from_arrays(offsets, inner, type=array.type, mask=pc.is_null(array))


def _struct(array: Any, parts: Sequence[Any], absent: Any) -> Any:
    fields = [array.type.field(place) for place in range(array.type.num_fields)]
    return pa.StructArray.from_arrays(parts, fields=fields, mask=absent)


def _has_dictionary(kind: Any) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return _has_dictionary(kind.storage_type)
    if pa.types.is_map(kind):
        return _has_dictionary(kind.key_type) or _has_dictionary(kind.item_type)
    if pa.types.is_dictionary(kind):
        return True
    if is_list(kind) or pa.types.is_fixed_size_list(kind):
        return _has_dictionary(kind.value_type)
    return pa.types.is_struct(kind) and any(_has_dictionary(field.type) for field in kind)
