"""How receipts, states and lists are printed: JSON for programs, a few lines for people."""

import json
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from deploy.cli.moments import moment

COLUMNS = ("request", "right", "state", "received", "answer by", "ended")
LINE = 120
_PROVED = {
    "verified": "proved",
    "downgraded": "proved for less than was asked",
    "failed": "not proved",
    "not_needed": "needs no proof",
}


def show_receipt(receipt: dict[str, Any], *, saved: Path | None, as_json: bool) -> None:
    """Print a receipt; the secret only where it was not saved."""
    if as_json:
        typer.echo(json.dumps(receipt))
        return
    typer.echo(
        f"Request {receipt['request_id']}: {receipt['right']}, received {moment(receipt['received_at'])}"
    )
    for line in _dates(receipt):
        typer.echo(line)
    typer.echo(f"The receipt is in {saved}." if saved else f"Secret, shown this once: {receipt['secret']}")


def show_status(status: dict[str, Any], *, as_json: bool) -> None:
    """Print where a request stands."""
    if as_json:
        typer.echo(json.dumps(status))
        return
    ended = f", {status['resolution']}" if status["resolution"] else ""
    typer.echo(f"Request {status['request_id']}: {status['right']}, {status['state']}{ended}")
    for line in (*_dates(status), *_who(status)):
        typer.echo(line)
    for notice in status["notices"]:
        handed_over = moment(notice["handed_over_at"]) if notice["handed_over_at"] else ""
        typer.echo(f"  {notice['kind']:<18} {notice['state']} {handed_over}".rstrip())


def show_list(listed: list[dict[str, Any]], *, as_json: bool) -> None:
    """Print the staff's list."""
    if as_json:
        typer.echo(json.dumps(listed))
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in COLUMNS:
        table.add_column(heading, no_wrap=True, overflow="ignore")
    for one in listed:
        received, ended = one["received_on"] or "-", one["resolution"] or ""
        table.add_row(one["request_id"], one["right"], one["state"], received, one["answer_by"] or "-", ended)
    # A cut id or date is of no use to anybody, and least of all to a pipe: the line is as long as it must be.
    Console(width=LINE).print(table, crop=False)


def _dates(told: dict[str, Any]) -> list[str]:
    names = (
        ("acknowledge_by", "acknowledged by"),
        ("respond_by", "answered by"),
        ("effective_by", "in effect by"),
    )
    # What stands now: an extension has moved the date of the answer, of which a receipt knows nothing yet.
    now = {**told, "respond_by": told.get("answer_by") or told.get("respond_by")}
    lines = [_line(words, now[name]) for name, words in names if now.get(name)]
    if told.get("extended"):
        lines.append(_line("extended", "the law allows it once, and its notice says why"))
    return lines


def _who(status: dict[str, Any]) -> list[str]:
    """Whether it was proved who asks; nothing where nobody has to."""
    if concluded := status.get("verification"):
        return [_line("who asks", _PROVED[concluded])]
    waits = "verification" in status.get("links", {})
    return [_line("who asks", "not proved yet: habeas request prove")] if waits else []


def _line(name: str, said: str) -> str:
    return f"  {name:<18} {said}"


def show_saved(sentence: str, file: Path, *, as_json: bool) -> None:
    """Say where something was written, and nothing of what is in it."""
    typer.echo(json.dumps({"file": str(file)}) if as_json else sentence)
