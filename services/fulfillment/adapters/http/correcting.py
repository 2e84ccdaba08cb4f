"""Correct: the columns that the person's words name get the value that they should have, row by row, and no others."""

from services.fulfillment.adapters.http.acting import needed
from services.fulfillment.adapters.http.changing import Changing, Effects
from services.fulfillment.adapters.http.tables import Table, Tables
from services.fulfillment.ports import DatasetCount, Frozen
from services.fulfillment.rowwise.correcting import all_wrong, corrected
from services.fulfillment.rowwise.orphans import Held


async def set_right(tables: Tables, frozen: Frozen, held: Held, effects: Effects) -> tuple[DatasetCount, ...]:
    """Change what is still wrong; a row that is another person's as well stays as it is.

    Raises:
        Failure, NotAll: it could not all be done; `effects` counts what was.
        RowFailure: a column holds several values, or one that nobody disputes.
    """
    for name, rows in all_wrong(tables.datamap, frozen, held).items():
        for key, changes in rows.items():
            await _changing(tables[name]).run([key], effects, changes=changes)
    return tuple(corrected(name, frozen, effects.done.get(name, 0)) for name in sorted(held))


def _changing(table: Table) -> Changing:
    verb = "correct" if table.spec.correct else "update"
    return Changing(table, verb, needed(table.spec.correct or table.spec.update, table, "correct"))
