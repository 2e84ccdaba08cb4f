"""How histories are anchored and checked from the command line, and what is said of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import typer
from rich.console import Console

from deploy.chains.anchors import read_anchors, write_anchor
from deploy.chains.checking import Audit, Finding
from deploy.chains.events import stated_heads
from deploy.chains.reading import case_heads
from deploy.dead_letters import database
from deploy.settings import local_settings
from shared.audit import AuditHead
from shared.events.topics import SERVICES
from shared.hosting import clock_of
from shared.keyfiles import KeyFiles


@dataclass(frozen=True, slots=True)
class Anchored:
    """An anchor that was made."""

    path: Path
    requests: dict[str, int]


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit saw and found."""

    chains: int
    rows: int
    anchors: int
    events: bool
    findings: list[Finding]


async def anchored(home: Path, folder: Path, database_url: str | None) -> Anchored:
    """Write an anchor of all services as of one moment."""
    settings = local_settings().model_copy(update={"home": home})
    async with database(settings, database_url) as connection:
        heads = await _heads(connection)
    path = write_anchor(folder, clock_of(settings).now(), heads, KeyFiles(settings.keys).evidence())
    return Anchored(path, {service: len(found) for service, found in heads.items()})


async def audited(home: Path, folder: Path, database_url: str | None, *, with_events: bool) -> Report:
    """Check all services; AnchorRefused where an anchor itself proves nothing."""
    settings = local_settings().model_copy(update={"home": home})
    anchors = list(read_anchors(folder, KeyFiles(settings.keys).evidence_public()))
    with Console(stderr=True).status("Checking every service's history ..."):
        # The events first: the row that an event names was committed before the event was sent.
        stated = await stated_heads(settings) if with_events else None
        audit = Audit(anchors, stated)
        async with database(settings, database_url) as connection:
            findings = [finding async for finding in audit.findings(connection)]
    return Report(audit.chains, audit.rows, len(anchors), with_events, findings)


def told_anchor(made: Anchored, *, as_json: bool) -> None:
    """Say where the anchor lies."""
    if as_json:
        typer.echo(json.dumps({"anchor": str(made.path), "requests": made.requests}))
        return
    typer.echo(f"Anchored {sum(made.requests.values())} histories in {made.path}.")


def told_audit(report: Report, *, as_json: bool) -> None:
    """Say what was checked, and each thing that is not as it was written."""
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "sound": not report.findings,
                    "histories": report.chains,
                    "rows": report.rows,
                    "anchors": report.anchors,
                    "events": report.events,
                    "findings": [one.to_json() for one in report.findings],
                }
            )
        )
        return
    against = f"{report.anchors} anchors" + (" and the events" if report.events else "")
    typer.echo(f"{report.chains} histories, {report.rows} rows, checked against their cases, {against}.")
    for one in report.findings:
        at = f", row {one.row}" if one.row else ""
        typer.echo(f"  {one.service}, request {one.request_id}{at}: {one.what}")
    typer.echo("Not as it was written." if report.findings else "Everything is as it was written.")
    if not report.anchors:
        typer.echo(
            "There is no anchor: a history that was written anew as a whole would not show. See: habeas evidence anchor"
        )


async def _heads(connection: asyncpg.Connection) -> dict[str, dict[UUID, AuditHead]]:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        return {service: dict(await case_heads(connection, service)) for service in SERVICES}
