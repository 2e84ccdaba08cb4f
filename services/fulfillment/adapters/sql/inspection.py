"""Check: does the database look as its map says, and does it hold anything personal that the map forgot?"""

from collections.abc import Iterator

from sqlalchemy.ext.asyncio import AsyncConnection

from services.fulfillment.adapters.sql.tables import Reflection, drift_of, reflect
from services.fulfillment.datamap.model import DataMap
from services.fulfillment.datamap.spelling import PERSONAL_NAME
from services.fulfillment.ports import CheckReport, Drift


async def inspect_schema(connection: AsyncConnection, datamap: DataMap) -> CheckReport:
    """Compare the whole schema with the map."""
    seen = await connection.run_sync(lambda sync: reflect(sync, datamap, names=None))
    drift = [*drift_of(datamap, seen), *_forgotten(datamap, seen)]
    notes = (*datamap.warnings, *_cascades(datamap, seen))
    return CheckReport(reachable=True, credentials=True, drift=tuple(drift), notes=notes)


def _forgotten(datamap: DataMap, seen: Reflection) -> Iterator[Drift]:
    for table, columns in sorted(seen.columns.items()):
        collection = datamap.collections.get(table)
        known = collection.fields if collection else {}
        yield from (
            Drift(table, c, "unmapped") for c in columns if c not in known and PERSONAL_NAME.search(c)
        )


def _cascades(datamap: DataMap, seen: Reflection) -> Iterator[str]:
    """A cascade deletes rows that nobody counted, perhaps newer than the cut-off."""
    for link, on_delete in seen.foreign_keys:
        parent = datamap.collections.get(link.parent)
        erased = parent is not None and parent.treatment == "erase"
        if erased and link.child not in datamap.collections and on_delete.upper() in {"CASCADE", "SET NULL"}:
            yield f"deleting from {link.parent} changes {link.child} ({on_delete}), which the map lacks"
