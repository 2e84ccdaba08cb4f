"""Correct: which columns of a row do not hold what they should, whatever the row is kept in."""

from collections.abc import Mapping
from typing import Any

from services.fulfillment.datamap.disputes import CannotHoldError, HoldsAnotherError, disputed, put_right
from services.fulfillment.datamap.model import DataMap, MapCollection
from services.fulfillment.ports import (
    RIGHTS_OF_OTHERS,
    DatasetCount,
    Frozen,
    NeedsPerson,
    Nothing,
    Retained,
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
