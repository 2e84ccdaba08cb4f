"""What a schema holds inside its columns: paths as a map names them, through structs and lists.

A map of arbitrary keys, a union and a list of fixed length are whole values: what is in one has no name of its own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import pyarrow as pa

from services.fulfillment.datamap.model import MapField
from services.fulfillment.rowwise.reading import Lack

Path: TypeAlias = tuple[str, ...]


def steps_of(field: MapField) -> Path:
    """The way to a field, which is its own name where it is nested in nothing."""
    return field.steps or (field.name,)


def is_list(kind: Any) -> bool:
    """Whether a value of this type is a list that is gone through."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def opened(kind: Any) -> Any:
    """What the lists are lists of."""
    while is_list(kind):
        kind = kind.value_type
    return kind


def paths_in(schema: Any) -> Iterator[str]:
    """The paths of all innermost values, and the names of the columns."""
    for field in schema:
        yield field.name
        yield from _inside(field.type, field.name)


def goes_through_list(kind: Any, path: Sequence[str]) -> bool:
    """Whether there can be several values at the path in a value of this type, or in one of the lists it ends in."""
    if is_list(kind):
        return True
    return bool(path) and goes_through_list(kind.field(path[0]).type, path[1:])


def lack_of(schema: Any, field: MapField) -> Lack | None:
    """Why nothing can be found at the field's path; None where it can."""
    first, *inside = steps_of(field)
    place = schema.get_field_index(first)
    if place < 0:
        return "missing"
    kind = schema.field(place).type
    for name in inside:
        kind = opened(kind)
        if not pa.types.is_struct(kind):
            return "closed"
        if kind.get_field_index(name) < 0:
            return "missing"
        kind = kind.field(name).type
    return None


def lacks(schema: Any, fields: Iterable[MapField]) -> Mapping[str, Lack]:
    """The fields that the schema has not, or that stand in something that cannot be looked into."""
    found = [(field.name, lack_of(schema, field)) for field in fields]
    return {name: lack for name, lack in found if lack}


def several(schema: Any, fields: Iterable[MapField]) -> Iterator[str]:
    """The identities of which a row can hold more than one."""
    for field in fields:
        first, *inside = steps_of(field)
        there = field.identity and lack_of(schema, field) is None
        if there and goes_through_list(schema.field(first).type, inside):
            yield field.name


def leaves_of(schema: Any) -> list[Path]:
    """The way to each column that is stored by itself, in the order in which Parquet stores them."""
    return [path for field in schema for path in _stored(field.type, (field.name,))]


def _inside(kind: Any, above: str) -> Iterator[str]:
    kind = opened(kind)
    for field in kind if pa.types.is_struct(kind) else ():
        within = list(_inside(field.type, f"{above}.{field.name}"))
        yield from within or [f"{above}.{field.name}"]


def _stored(kind: Any, path: Path) -> Iterator[Path]:
    if isinstance(kind, pa.BaseExtensionType):
        yield from _stored(kind.storage_type, path)
    elif pa.types.is_map(kind):
        yield from _stored(kind.key_type, path)
        yield from _stored(kind.item_type, path)
    elif is_list(kind) or pa.types.is_fixed_size_list(kind):
        yield from _stored(kind.value_type, path)
    elif pa.types.is_struct(kind):
        for field in kind:
            yield from _stored(field.type, (*path, field.name))
    else:
        yield path
