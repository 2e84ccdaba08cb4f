"""How dates are printed: one JSON object for programs, small tables for people."""

import json
from collections.abc import Sequence
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from shared.policy import Clocks, DueDate, Regime
from shared.policy.clockwork.explaining import Day
from shared.policy.clockwork.outlook import Outlook
from shared.policy.selection import strictest

PRINTED = ("acknowledge_by", "respond_by", "extend_to", "effective_by")


def print_outlooks(
    found: Sequence[Outlook], *, events: bool, explain: bool, several: bool, as_json: bool
) -> None:
    """Print the documented dates, null or a dash where the right lacks the clock; what is asked for besides."""
    for outlook in found:
        warn_if_not_offered(outlook.regime)
    if as_json:
        parts = [_json(one, events=events, explain=explain) for one in found]
        typer.echo(json.dumps(_together(found, parts) if several else parts[0]))
        return
    for outlook in found:
        _print(outlook, events=events, explain=explain)
    if several:
        typer.echo(_strictest_line(found))


def warn_if_not_offered(regime: Regime) -> None:
    """Say on standard error that no request is taken under these rules yet, and why."""
    if not regime.rules.offered:
        typer.echo(f"Note: {not_offered(regime)}", err=True)


def not_offered(regime: Regime) -> str:
    weak = ", ".join(dict.fromkeys(name for name, _ in regime.rules.unconfirmed()))
    unconfirmed = f" Unconfirmed: {weak}." if weak else ""
    return f"{regime.id} is not offered: {regime.rules.because}.{unconfirmed}"


def _strictest_line(found: Sequence[Outlook]) -> str:
    dues = strictest(outlook.clocks for outlook in found)
    named = [f"{name} {due.date}" for name in PRINTED if (due := dues[name])]
    return f"strictest of {len(found)}: {', '.join(named)}"


def _together(found: Sequence[Outlook], parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The strictest date of each clock first, then every regime's own."""
    dues = strictest(outlook.clocks for outlook in found)
    first = found[0].clocks
    return {
        "right": first.right,
        "received_on": str(min(outlook.clocks.received_on for outlook in found)),
        **{name: _due_json(dues[name]) for name in PRINTED},
        "regimes": {outlook.regime.id: part for outlook, part in zip(found, parts, strict=True)},
    }


def _json(outlook: Outlook, *, events: bool, explain: bool) -> dict[str, Any]:
    printed = outlook.clocks.model_dump(mode="json", include={"right", "received_on", *PRINTED})
    if events:
        printed |= _events_json(outlook)
    if explain and outlook.due_again_on:
        printed["due_again_on"] = str(outlook.due_again_on)
    if explain:
        printed["explained"] = {
            name: [{"day": str(day.on), "counted": day.number, "why": day.why} for day in days]
            for name, days in outlook.explained().items()
        }
    return printed


def _events_json(outlook: Outlook) -> dict[str, Any]:
    printed: dict[str, Any] = {
        "events": [
            {"event": one.event.kind, "on": str(one.event.on), "moved": one.moved, "why": one.words}
            for one in outlook.course.effects
        ]
    }
    if outlook.ask_again_from:
        printed["ask_again_from"] = str(outlook.ask_again_from)
    if outlook.appeal:
        printed["appeal"] = _appeal_json(outlook.appeal)
    if outlook.limit:
        again = outlook.limit.again_from
        printed["limit"] = {
            "reached": outlook.limit.reached,
            "again_from": str(again) if again else None,
            "cite": outlook.limit.cite,
        }
    return printed


def _appeal_json(clocks: Clocks) -> dict[str, Any]:
    return clocks.model_dump(mode="json", include={"received_on", *PRINTED})


def _due_json(due: DueDate | None) -> dict[str, Any] | None:
    return due.model_dump(mode="json") if due else None


def _print(outlook: Outlook, *, events: bool, explain: bool) -> None:
    console = Console()
    console.print(_clocks_table(outlook.regime, outlook.clocks))
    for line in _remarks(outlook, events=events):
        typer.echo(line)
    if explain:
        for name, days in outlook.explained().items():
            console.print(_days_table(name, days))


def _remarks(outlook: Outlook, *, events: bool) -> list[str]:
    lines = []
    if events:
        lines = [f"{one.event.kind} on {one.event.on}: {one.words}" for one in outlook.course.effects]
    if outlook.appeal and outlook.appeal.answer_by:
        lines.append(f"the appeal is to be answered by {outlook.appeal.answer_by.date}")
    if outlook.ask_again_from:
        lines.append(f"the person may be asked again from {outlook.ask_again_from} on")
    if outlook.limit:
        again = f"need not be answered before {outlook.limit.again_from}"
        verdict = again if outlook.limit.reached else "must be answered"
        lines.append(f"by its frequency the request {verdict} ({outlook.limit.cite})")
    if outlook.due_again_on:
        lines.append(f"what recurs is due again by {outlook.due_again_on}")
    return lines


def _clocks_table(regime: Regime, clocks: Clocks) -> Table:
    title = f"{clocks.right} under {regime.id}, received on {clocks.received_on}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("clock", "date", "late from (UTC)", "lawful until", "source"):
        table.add_column(heading, overflow="fold")
    for name in PRINTED:
        table.add_row(name, *_due_cells(getattr(clocks, name)))
    return table


def _due_cells(due: DueDate | None) -> tuple[str, ...]:
    if due is None:
        return ("-", "", "", "")
    return (str(due.date), f"{due.late_from:%Y-%m-%d %H:%M}", str(due.legal_latest), due.cite)


def _days_table(name: str, days: Sequence[Day]) -> Table:
    title = f"{name}, day by day"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("day", "", "counts", "why"):
        table.add_column(heading, overflow="fold")
    for day in days:
        table.add_row(str(day.on), f"{day.on:%a}", str(day.number) if day.number else "-", day.why)
    return table
