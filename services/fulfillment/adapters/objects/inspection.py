"""Check: is every collection there, with the columns that its map names, and with no personal one that it forgot?"""

from collections.abc import Iterator

from services.fulfillment.adapters.objects.tables import Tables
from services.fulfillment.datamap.spelling import PERSONAL_NAME
from services.fulfillment.ports import CheckReport, Drift


def inspect(tables: Tables) -> CheckReport:
    """Look into every file.

    Raises:
        Failure: a file cannot be read.
    """
    drift = [each for name in sorted(tables.datamap.collections) for each in _drift(tables, name)]
    notes = list(tables.datamap.warnings)
    if tables.stray:
        notes.append(f"{tables.stray} files belong to no collection and are never looked into")
    return CheckReport(reachable=True, credentials=True, drift=tuple(drift), notes=tuple(notes))


def _drift(tables: Tables, name: str) -> Iterator[Drift]:
    if not tables.has_files(name):
        yield Drift(name, "", "missing")
        return
    table = tables[name]
    yield from (Drift(name, column, "missing") for column in table.missing())
    known = table.collection.fields
    personal = sorted(each for each in table.columns() if each not in known and PERSONAL_NAME.search(each))
    yield from (Drift(name, column, "unmapped") for column in personal)
