"""Check: is every collection there, with the columns that its map names, and with no personal one that it forgot?"""

from collections.abc import Iterator

from services.fulfillment.adapters.objects.tables import Tables
from services.fulfillment.datamap.disputes import notes_of
from services.fulfillment.ports import CheckReport, Drift
from services.fulfillment.rowwise.completeness import notes_of_several, personal_names


def inspect(tables: Tables) -> CheckReport:
    """Look into every file.

    Raises:
        Failure: a file cannot be read.
    """
    drift = [each for name in sorted(tables.datamap.collections) for each in _drift(tables, name)]
    notes = list(notes_of(tables.datamap))
    there = [name for name in sorted(tables.datamap.collections) if tables.has_files(name)]
    notes += [each for name in there for each in notes_of_several(name, tables[name].several())]
    if tables.stray:
        notes.append(f"{tables.stray} files belong to no collection and are never looked into")
    return CheckReport(reachable=True, credentials=True, drift=tuple(drift), notes=tuple(notes))


def _drift(tables: Tables, name: str) -> Iterator[Drift]:
    if not tables.has_files(name):
        yield Drift(name, "", "missing")
        return
    table = tables[name]
    yield from (Drift(name, column, lack) for column, lack in table.lacking().items())
    known = set(table.collection.fields)
    yield from (Drift(name, column, "unmapped") for column in personal_names(table.columns(), known))
