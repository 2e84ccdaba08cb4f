"""Check: are we let in, and do the collections that tell their columns look as the map says?"""

from collections.abc import Iterator

from services.fulfillment.adapters.http.client import Client
from services.fulfillment.adapters.http.connector import Connector, Describe, Lookup
from services.fulfillment.adapters.http.failures import NOT_JSON, Failure
from services.fulfillment.adapters.http.paths import path
from services.fulfillment.adapters.http.requests import prepared
from services.fulfillment.adapters.http.tables import Table, Tables
from services.fulfillment.datamap.disputes import said_of_corrections
from services.fulfillment.datamap.spelling import PERSONAL_NAME
from services.fulfillment.ports import CheckReport, Drift, Frozen


async def inspect(client: Client, connector: Connector, tables: Tables) -> CheckReport:
    """Ask the system who it is and what it holds.

    Raises:
        Failure: it cannot be asked.
    """
    await knock(client, connector, tables)
    drift: list[Drift] = []
    for name in sorted(tables.datamap.collections):
        described = tables[name].spec.describe
        if described is not None:
            drift += await _drift(client, tables[name], described)
    return CheckReport(reachable=True, credentials=True, drift=tuple(drift), notes=_notes(connector, tables))


async def knock(client: Client, connector: Connector, tables: Tables) -> None:
    """The connector's check request: an interface that does not answer it well is not believed in anything else."""
    request = prepared(connector.check, "check")
    name = next(iter(tables.datamap.collections))
    answer = await client.call(request, {"settings": tables[name].reach.settings})
    if not answer.readable:
        raise Failure("schema", f"check: {NOT_JSON}")
    if connector.check_holds and not path(connector.check_holds)(answer.data):
        raise Failure("credentials", "check: the answer does not hold what it holds for those who are let in")


def nobody_by_404(connector: Connector, found: Frozen) -> bool:
    """Whether 404 alone may have said that nothing is held somewhere."""
    return any(
        not found.rows.get(name)
        and any(isinstance(way, Lookup) and way.absent_on_404 for way in spec.find.values())
        for name, spec in connector.collections.items()
    )


async def _drift(client: Client, table: Table, described: Describe) -> list[Drift]:
    request = prepared(described.request, f"{table.name}.describe")
    answer = await client.call(request, {"settings": table.reach.settings})
    columns = path(described.columns)(answer.data)
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise Failure("schema", f"{table.name}.describe: the answer names no columns")
    return list(_differences(table, set(columns)))


def _differences(table: Table, columns: set[str]) -> Iterator[Drift]:
    told = {name: _last(table.spec.fields.get(name, name)) for name in table.collection.fields}
    keys = set(table.shape.key)
    missing = sorted(name for name, column in told.items() if column not in columns and name not in keys)
    yield from (Drift(table.name, name, "missing") for name in missing)
    personal = sorted(name for name in columns - set(told.values()) if PERSONAL_NAME.search(name))
    yield from (Drift(table.name, name, "unmapped") for name in personal)


def _last(expression: str) -> str:
    """The name at a path's end, which is the one that a description of columns gives."""
    return expression.rpartition(".")[2].strip('"')


def _notes(connector: Connector, tables: Tables) -> tuple[str, ...]:
    honest = [] if connector.verified.startswith("verified") else [f"{connector.title}: {connector.verified}"]
    return (*tables.datamap.warnings, *honest, *connector.limits_of_this, said_of_corrections(tables.datamap))
