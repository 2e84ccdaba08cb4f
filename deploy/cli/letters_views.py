"""How waiting letters are printed: JSON for programs, a few lines for people."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.table import Table

from deploy.cli.letters_desk import Waits

COLUMNS: Final = ("request", "notice", "right", "came by", "by", "why")
WHY: Final = {"no_address": "no e-mail address"}
LINE: Final = 140


def show_waiting(found: Sequence[Waits], *, as_json: bool) -> None:
    """Print what waits."""
    shown = [one.shown() for one in found]
    if as_json:
        typer.echo(json.dumps(shown))
        return
    if not shown:
        typer.echo("Nobody waits for a letter.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in COLUMNS:
        table.add_column(heading, no_wrap=True, overflow="ignore")
    for one in shown:
        why = WHY.get(one["why"] or "", one["why"] or "")
        table.add_row(
            one["request_id"],
            one["notice"],
            one["right"],
            one["channel"],
            one["by"] or "-",
            why.replace("_", " "),
        )
    Console(width=LINE).print(table, crop=False)
    typer.echo(
        "Next: habeas letters print REQUEST --to letter.pdf, then habeas letters posted REQUEST --evidence …"
    )


def show_printed(written: tuple[Path, Path | None], *, as_json: bool) -> None:
    """Print what was written, and what is to be done with it."""
    letter, archive = written
    if as_json:
        typer.echo(json.dumps({"letter": str(letter), "answer": archive and str(archive)}))
        return
    typer.echo(f"The letter is in {letter}.")
    if archive is not None:
        typer.echo(
            f"It encloses the answer, which is in {archive}: print its index.html, or copy it to a medium."
        )
    typer.echo(
        "When it is posted: habeas letters posted REQUEST --evidence …; then remove what was written here."
    )
