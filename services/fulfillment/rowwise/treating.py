"""What the map wants done with a row, whether it is done already, and how the receipt counts it."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.fulfillment.datamap.flags import FLAG_RIGHTS, flag_of
from services.fulfillment.datamap.model import DataMap, MapCollection, MapField
from services.fulfillment.datamap.replacing import (
    HASHED,
    OWN_TO_A_ROW,
    constant,
    in_place_of,
    strategy,
    tells,
)
from services.fulfillment.ports import (
    RIGHTS_OF_OTHERS,
    DatasetCount,
    Frozen,
    Key,
    NeedsPerson,
    Nothing,
    Proof,
    Retained,
    StillPresent,
    Unknown,
)
from services.fulfillment.rowwise.correcting import not_ours
from services.fulfillment.rowwise.rows import Row, same


def concerns(collection: MapCollection, right: str) -> bool:
    """Whether the right does anything to the rows of this collection."""
    if right in FLAG_RIGHTS:
        return flag_of(collection, right) is not None
    return collection.treatment in {"erase", "deidentify"}


def concerned_keys(frozen: Frozen, name: str, right: str) -> Sequence[Key]:
    """A deletion or correction leaves the rows that others share; a flag is set on them too."""
    own = frozen.rows.get(name, ())
    return own if right in {"delete", "correct"} else (*own, *frozen.shared.get(name, ()))


def pending(collection: MapCollection, right: str, row: Row) -> bool:
    """The row is not done yet."""
    flag = flag_of(collection, right) if right in FLAG_RIGHTS else None
    if flag is not None:
        return not same(row.get(flag.field), flag.value)
    return collection.treatment == "erase" or (
        collection.treatment == "deidentify" and identifying(collection, row)
    )


def identifying(collection: MapCollection, row: Row) -> bool:
    """The row still holds something that its strategy would replace."""
    there = [field for field in collection.deidentified if row.get(field.name) is not None]
    if not all(map(tells, there)) and not any(strategy(field) == "constant" for field in there):
        return True
    return any(
        _identifies(field, row[field.name])
        for field in collection.deidentified
        if tells(field) and field.name in row
    )


def replacements(collection: MapCollection, row: Row, key: bytes) -> dict[str, Any]:
    """The values that take the place of those that point to the person."""
    return {field.name: _replaced(field, row, key) for field in collection.deidentified}


def counted(collection: MapCollection, frozen: Frozen, *, done: int, left: int) -> DatasetCount | None:
    """What a deletion's receipt says of a collection: `done` rows, and `left` that an exemption may cover."""
    shared = len(frozen.shared.get(collection.name, ()))
    retained = [Retained(RIGHTS_OF_OTHERS, shared)] if shared else []
    if left:
        retained += [Retained(exemption, left) for exemption in collection.exemptions]
    treated = {"erase": {"erased": done}, "deidentify": {"deidentified": done}, "retain": {}}
    if collection.treatment not in treated:
        return None
    counts: Mapping[str, int] = treated[collection.treatment]
    return DatasetCount(collection.name, retained=tuple(retained), **counts)


def idle(kind: str, datamap: DataMap, right: str, frozen: Frozen) -> Nothing | NeedsPerson | None:
    """The answers that need no look at the system."""
    if right == "correct":
        return not_ours(datamap, frozen)
    if right != "delete" and right not in FLAG_RIGHTS:
        return NeedsPerson("refused", f"the {kind} adapter has no way to {right}")
    if frozen.is_empty:
        return Nothing("no row is held")
    if right == "delete":
        return None
    flagged = any(flag_of(collection, right) for collection in datamap.collections.values())
    return None if flagged else Nothing(f"the map has no {right} column")


def never_done(right: str, frozen: Frozen) -> Proof:
    """The proof of a right that no program serves: a correction is still to be made, anything else leaves no trace."""
    if right == "correct":
        return StillPresent(frozen.count())
    return Unknown(f"a request to {right} leaves nothing to read back")


def _replaced(field: MapField, row: Row, key: bytes) -> Any:
    value = row.get(field.name)
    if strategy(field) not in OWN_TO_A_ROW:
        return constant(field)
    return (
        [in_place_of(field, each, key) for each in value]
        if isinstance(value, list)
        else in_place_of(field, value, key)
    )


def _identifies(field: MapField, value: Any) -> bool:
    if isinstance(value, list):
        return any(_identifies(field, each) for each in value)
    if strategy(field) == "keyed_hash":
        return value is not None and not str(value).startswith(HASHED)
    return not same(value, constant(field))
