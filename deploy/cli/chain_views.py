"""How histories are anchored and checked from the command line, and what is said of it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import typer
from rich.console import Console

from deploy.chains.anchoring import Anchoring, Keys, anchor_now
from deploy.chains.checking import Audit, Finding
from deploy.chains.events import add_stated_heads
from deploy.chains.placed import Expected, check_anchors
from deploy.chains.places import Place, place_of
from deploy.chains.register import Registered, registered
from deploy.chains.scratch import Scratch
from deploy.chains.stamps import Authority
from deploy.dead_letters import database
from deploy.settings import local_settings
from shared.hosting import clock_of
from shared.keyfiles import KeyFiles
from shared.settings import Settings

SAID_EVERY = 500


@dataclass(frozen=True, slots=True)
class Where:
    """This installation's keys and database, and the places of its anchors."""

    home: Path
    anchors: list[str]
    database_url: str | None
    lock_days: int = 0

    def places(self) -> list[Place]:
        return [place_of(one, self.lock_days) for one in self.anchors]

    def settings(self) -> Settings:
        return local_settings().model_copy(update={"home": self.home})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What histories are compared with, beside the anchors."""

    events: bool
    within_hours: int | None
    roots: Path | None


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit saw and found."""

    chains: int
    rows: int
    anchors: int
    events: bool
    findings: list[Finding]


async def anchored(where: Where, timestamp_url: str | None) -> tuple[Registered, int]:
    """Anchor all services as of one moment; the last anchor and how many histories had changed."""
    settings = where.settings()
    files = KeyFiles(settings.keys)
    keys = Keys(files.evidence(), files.evidence_public())
    authority = Authority(timestamp_url) if timestamp_url else None
    with _counted("Reading where every history ends: {:,} ...") as progress:
        async with database(settings, where.database_url) as connection:
            now = clock_of(settings).now()
            anchoring = Anchoring(where.places(), keys, now, authority, progress=progress)
            return await anchor_now(connection, anchoring)


async def audited(where: Where, wanted: Wanted) -> Report:
    """Check all services; AnchorRefused where an anchor itself proves nothing."""
    settings, scratch = where.settings(), Scratch()
    try:
        # The events first: the row that an event names was committed before the event was sent.
        if wanted.events:
            with _counted("Reading what events say of every history: {:,} events ...") as progress:
                await add_stated_heads(settings, scratch, progress)
        with _counted("Checking every service's history: {:,} of them, {:,} rows ...") as progress:
            async with database(settings, where.database_url) as connection:
                expected = Expected(
                    public=KeyFiles(settings.keys).evidence_public(),
                    registered=await registered(connection),
                    now=clock_of(settings).now(),
                    within=timedelta(hours=wanted.within_hours) if wanted.within_hours else None,
                    roots=wanted.roots.read_bytes() if wanted.roots else None,
                )
                count, findings = check_anchors(where.places(), expected, scratch)
                scratch.index()
                audit = Audit(scratch, progress=progress)
                findings += [finding async for finding in audit.findings(connection)]
    finally:
        scratch.close()
    return Report(audit.chains, audit.rows, count, wanted.events, findings)


@contextmanager
def _counted(sentence: str) -> Iterator[Callable[..., None]]:
    """Say on standard error how far it is; written anew a few times a second, however fast it goes."""
    with Console(stderr=True).status(sentence.split(":", maxsplit=1)[0] + " ...") as status:

        def progress(*counts: int) -> None:
            if counts[0] % SAID_EVERY == 0:
                status.update(sentence.format(*counts))

        yield progress


def told_anchor(made: Registered, count: int, where: Where, *, as_json: bool) -> None:
    """Say where the anchor lies."""
    if as_json:
        told = {"anchor": made.name, "number": made.number, "places": where.anchors, "histories": count}
        typer.echo(json.dumps(told))
        return
    typer.echo(f"Anchored {count} histories that had changed: {made.name} in {', '.join(where.anchors)}.")


def told_audit(report: Report, *, as_json: bool) -> None:
    """Say what was checked, and each thing that is not as it was written."""
    typer.echo(json.dumps(_facts(report)) if as_json else "\n".join(_sentences(report)))


def _facts(report: Report) -> dict[str, object]:
    return {
        "sound": not report.findings,
        "histories": report.chains,
        "rows": report.rows,
        "anchors": report.anchors,
        "events": report.events,
        "findings": [one.to_json() for one in report.findings],
    }


def _sentences(report: Report) -> list[str]:
    against = f"{report.anchors} anchors" + (" and the events" if report.events else "")
    told = [f"{report.chains} histories, {report.rows} rows, checked against their cases, {against}."]
    told += [_sentence(one) for one in report.findings]
    told.append("Not as it was written." if report.findings else "Everything is as it was written.")
    if not report.anchors:
        told.append(
            "There is no anchor: a history that was written anew as a whole would not show. See: habeas evidence anchor"
        )
    return told


def _sentence(one: Finding) -> str:
    request = f", request {one.request_id}" if one.request_id else ""
    return f"  {one.service}{request}{f', row {one.row}' if one.row else ''}: {one.what}"
