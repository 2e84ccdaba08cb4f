"""How reports are read, with progress on standard error, and handed over."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from deploy.reports.metrics import Figures
from deploy.reports.reading import request_log
from deploy.reports.records import RequestRecord
from deploy.settings import local_settings

EVERY = 1_000
HEADINGS = ("kind", "received", "complied", "in part", "denied", "open", "late", "median days", "mean days")


def read_log() -> list[RequestRecord]:
    """The log, from the topics' first record on."""
    with Console(stderr=True).status("Reading the lifecycle topics ...") as status:

        def progress(count: int) -> None:
            if count % EVERY == 0:
                status.update(f"Reading the lifecycle topics: {count:,} records ...")

        return asyncio.run(request_log(local_settings(), progress))


def chosen(
    records: Iterable[RequestRecord], business: str | None, between: tuple[date | None, date | None]
) -> list[RequestRecord]:
    """Those of a business, received between two days, both included."""
    first, last = between
    return [
        one
        for one in records
        if business in {None, one.business}
        and (first is None or one.received_on >= first)
        and (last is None or one.received_on <= last)
    ]


def hand_over(text: str, to: Path | None, what: str) -> None:
    """Print it, or write it and say so."""
    if to is None:
        typer.echo(text, nl=False)
        return
    try:
        to.write_text(text, "utf-8")
    except OSError as error:
        typer.echo(f"--to: {to} cannot be written ({error.strerror}); name another file.", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{what}: written to {to}.")


def show_figures(found: Sequence[Figures]) -> None:
    """Print the figures as a table."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "kind" else "right", no_wrap=True)
    for one in found:
        counts = (one.received, one.complied, one.complied_in_part, one.denied, one.open, one.late)
        days = ("-" if each is None else f"{each:g}" for each in (one.median_days, one.mean_days))
        table.add_row(one.kind, *(str(count) for count in counts), *days)
    Console(width=120).print(table, crop=False)
