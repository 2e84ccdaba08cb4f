"""Correct: the columns that the person's words name get the value that they should have, row by row, and no others."""

from collections.abc import Mapping

from services.fulfillment.adapters.http.acting import needed
from services.fulfillment.adapters.http.changing import Changing, Effects
from services.fulfillment.adapters.http.tables import Table, Tables
from services.fulfillment.datamap.disputes import HoldsAnotherError, differs, disputed, to_change
from services.fulfillment.datamap.model import DataMap
from services.fulfillment.ports import (
    RIGHTS_OF_OTHERS,
    DatasetCount,
    Frozen,
    NeedsPerson,
    Nothing,
    Retained,
)
from services.fulfillment.rowwise.orphans import Held
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


async def set_right(tables: Tables, frozen: Frozen, held: Held, effects: Effects) -> tuple[DatasetCount, ...]:
    """Change what is still wrong; a row that is another person's as well stays as it is.

    Raises:
        Failure, NotAll: it could not all be done; `effects` counts what was.
        RowFailure: a column holds several values, or one that nobody disputes.
    """
    wanted = to_change(tables.datamap, frozen.corrections)
    # All rows are looked at first: one that a person has to look at stops the change of any other.
    changes = {
        (name, key): still_wrong(tables[name], row, wanted[name])
        for name, rows in sorted(held.items())
        for key, row in rows.items()
    }
    for (name, key), change in changes.items():
        if change:
            await _changing(tables[name]).run([key], effects, changes=change)
    return tuple(_count(name, frozen, effects) for name in sorted(held))


def still_wrong(table: Table, row: Row, wanted: Mapping[str, Correction]) -> dict[str, str]:
    """The columns of a row that do not hold what they should, and what that is.

    Raises:
        RowFailure: a column holds several values, or one that nobody disputes.
    """
    fields, found = table.collection.fields, dict[str, str]()
    for name, one in wanted.items():
        value = row.get(name)
        if isinstance(value, list | Mapping):
            raise RowFailure("schema", f"{table.name}.{name} holds several values: which is wrong?")
        try:
            if differs(fields[name], value, one):
                found[name] = one.should_be
        except HoldsAnotherError as error:
            raise RowFailure("refused", f"{table.name}.{name} {error}") from None
    return found


def _changing(table: Table) -> Changing:
    verb = "correct" if table.spec.correct else "update"
    return Changing(table, verb, needed(table.spec.correct or table.spec.update, table, "correct"))


def _count(name: str, frozen: Frozen, effects: Effects) -> DatasetCount:
    others = len(frozen.shared.get(name, ()))
    retained = (Retained(RIGHTS_OF_OTHERS, others),) if others else ()
    return DatasetCount(name, corrected=effects.done.get(name, 0), retained=retained)
