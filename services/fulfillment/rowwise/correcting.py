"""Correct: which columns of a row do not hold what they should, whatever the row is kept in."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.fulfillment.datamap.disputes import (
    CannotHoldError,
    HoldsAnotherError,
    disputed,
    put_right,
    to_change,
)
from services.fulfillment.datamap.model import DataMap, MapCollection
from services.fulfillment.ports import (
    RIGHTS_OF_OTHERS,
    DatasetCount,
    Frozen,
    Gone,
    Key,
    NeedsPerson,
    Nothing,
    Proof,
    Retained,
    StillPresent,
)
from services.fulfillment.rowwise.rows import Row, RowFailure
from shared.privacy.claims import Correction


def not_ours(datamap: DataMap, frozen: Frozen) -> NeedsPerson | Nothing | None:
    """The answers that need no look at the system."""
    if frozen.is_empty:
        return Nothing("no row is held")
    wanted = disputed(datamap, frozen.corrections)
    if isinstance(wanted, str):
        return NeedsPerson("manual", f"{wanted}: weigh it, make it there, and complete the task")
    holds = any(frozen.rows.get(name) or frozen.shared.get(name) for name in wanted)
    return None if holds else Nothing("no row holds what is disputed")


def in_dispute(datamap: DataMap, frozen: Frozen) -> dict[str, Sequence[Key]]:
    """The person's own rows in which something may be wrong, by collection; none where a person has to look."""
    names = sorted(to_change(datamap, frozen.corrections))
    there = {*frozen.rows, *frozen.shared}
    return {name: frozen.rows.get(name, ()) for name in names if name in there}


def all_wrong(
    datamap: DataMap, frozen: Frozen, held: Mapping[str, Mapping[Key, Row]]
) -> dict[str, dict[Key, dict[str, Any]]]:
    """What is still wrong in the rows that are held, and what it should be.

    All rows are looked at before any is changed: one that a person has to look at stops the change of any other.

    Raises:
        RowFailure: a person has to look.
    """
    wanted = to_change(datamap, frozen.corrections)
    found = {
        name: {key: still_wrong(datamap.collections[name], row, wanted[name]) for key, row in rows.items()}
        for name, rows in sorted(held.items())
    }
    return {name: {key: wrong for key, wrong in each.items() if wrong} for name, each in found.items()}


def proof_of(datamap: DataMap, frozen: Frozen, held: Mapping[str, Mapping[Key, Row]]) -> Proof:
    """What a person has to look at is never proved by itself.

    Raises:
        RowFailure: a row holds what nobody disputes.
    """
    own = in_dispute(datamap, frozen)
    if not own:
        return StillPresent(frozen.count())
    left = sum(map(len, all_wrong(datamap, frozen, held).values()))
    return StillPresent(left) if left else Gone({name: len(keys) for name, keys in own.items() if keys})


def still_wrong(collection: MapCollection, row: Row, wanted: Mapping[str, Correction]) -> dict[str, Any]:
    """The columns of a row that do not hold what they should, and what that is.

    Raises:
        RowFailure: a column holds several values, or one that nobody disputes, or cannot hold what it should.
    """
    found = dict[str, Any]()
    for name, one in wanted.items():
        value = row.get(name)
        if isinstance(value, list | Mapping):
            raise RowFailure("schema", f"{collection.name}.{name} holds several values: which is wrong?")
        try:
            right = put_right(collection.fields[name], value, one)
        except (HoldsAnotherError, CannotHoldError) as error:
            raise RowFailure("refused", f"{collection.name}.{name} {error}") from None
        if right is not None:
            found[name] = right
    return found


def corrected(name: str, frozen: Frozen, done: int) -> DatasetCount:
    """What a correction's receipt says of a collection; a row that is another person's as well stays as it is."""
    others = len(frozen.shared.get(name, ()))
    retained = (Retained(RIGHTS_OF_OTHERS, others),) if others else ()
    return DatasetCount(name, corrected=done, retained=retained)
