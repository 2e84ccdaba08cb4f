"""Prove: read back, in a transaction of its own, whether the frozen rows are as the right demands."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.conditions import Condition, these, until
from services.fulfillment.adapters.sql.correcting import Correcting
from services.fulfillment.adapters.sql.destroy import Bounds
from services.fulfillment.adapters.sql.flags import unset
from services.fulfillment.adapters.sql.keys import in_chunks
from services.fulfillment.adapters.sql.replacing import identifying
from services.fulfillment.adapters.sql.tables import MappedTable, Tables
from services.fulfillment.datamap.flags import FLAG_RIGHTS, flag_of
from services.fulfillment.ports import Frozen, Gone, Key, Proof, StillPresent
from services.fulfillment.progress import got_further
from services.fulfillment.rowwise.treating import never_done


async def read_back(
    connection: AsyncConnection, tables: Tables, bounds: Bounds, right: str, frozen: Frozen
) -> Proof:
    """Count what should be gone, replaced or flagged and is not."""
    if right == "correct":
        return await Correcting(connection, tables, bounds).proof(frozen)
    if right != "delete" and right not in FLAG_RIGHTS:
        return never_done(right, frozen)
    checked: dict[str, int] = {}
    left = 0
    for name in sorted({*frozen.rows, *frozen.shared}):
        pending = pending_in(tables[name], right)
        if pending is None:
            continue
        keys = concerned(frozen, name, right)
        checked[name] = len(keys)
        for chunk in in_chunks(keys, bounds.chunk_rows):
            bound = (
                these(tables[name], chunk, tables.dialect),
                until(tables[name], bounds.cut_off, tables.dialect),
            )
            query = sa.select(sa.func.count()).select_from(tables[name].clause).where(*bound, pending)
            left += (await connection.execute(query)).scalar_one()
            await got_further()
    return StillPresent(left) if left else Gone(checked)


def pending_in(table: MappedTable, right: str) -> Condition | None:
    """The condition under which a row is not done yet, or None where the right does not touch the table."""
    if right in FLAG_RIGHTS:
        flag = flag_of(table.collection, right)
        return unset(table, flag) if flag else None
    match table.collection.treatment:
        case "erase":
            return sa.true()
        case "deidentify":
            return identifying(table)
    return None


def concerned(frozen: Frozen, name: str, right: str) -> Sequence[Key]:
    """The rows to read back: a deletion leaves the rows that others share; a flag is set on them too."""
    own = frozen.rows.get(name, ())
    return own if right == "delete" else (*own, *frozen.shared.get(name, ()))
