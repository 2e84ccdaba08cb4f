"""Correct: the columns that the person's words name get the value that they should have, row by row, and no others."""

from collections.abc import Mapping

from services.fulfillment.adapters.http.acting import needed
from services.fulfillment.adapters.http.changing import Changing, Effects
from services.fulfillment.adapters.http.tables import Table, Tables
from services.fulfillment.datamap.disputes import differs, disputed, to_change
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
        RowFailure: a column holds several values, of which nobody can tell the disputed one.
    """
    wanted, counts = to_change(tables.datamap, frozen.corrections), []
    for name, rows in sorted(held.items()):
        table = tables[name]
        verb = "correct" if table.spec.correct else "update"
        changing = Changing(table, verb, needed(table.spec.correct or table.spec.update, table, "correct"))
        for key, row in rows.items():
            if changes := still_wrong(table, row, wanted[name]):
                await changing.run([key], effects, changes=changes)
        others = len(frozen.shared.get(name, ()))
        retained = (Retained(RIGHTS_OF_OTHERS, others),) if others else ()
        counts.append(DatasetCount(name, corrected=effects.done.get(name, 0), retained=retained))
    return tuple(counts)


def still_wrong(table: Table, row: Row, wanted: Mapping[str, str]) -> dict[str, str]:
    """The columns of a row that do not hold what they should.

    Raises:
        RowFailure: a column holds several values.
    """
    fields = table.collection.fields
    several = [name for name in wanted if isinstance(row.get(name), list | Mapping)]
    if several:
        raise RowFailure("schema", f"{table.name}.{several[0]} holds several values: which is wrong?")
    return {name: value for name, value in wanted.items() if differs(fields[name], row.get(name), value)}
