"""How reports are read, with progress on standard error, and handed over line by line."""

import asyncio
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import IO

import typer
from rich.console import Console
from rich.table import Table

from deploy.reports.book import Chosen
from deploy.reports.forms import (
    Year,
    columns,
    figures_as_csv,
    figures_as_json,
    figures_as_page,
    log_as_csv,
    log_as_json,
    log_as_parquet,
)
from deploy.reports.metrics import CCPA, Figures, Law, figures
from deploy.reports.reading import Progress, Rebuilt, current_book, rebuilt
from deploy.reports.records import Line, RequestRecord
from deploy.settings import local_settings
from shared.hosting import clock_of

HEADINGS = ("kind", "received", "complied", "in part", "denied", "open", "late", "median days", "mean days")


@dataclass(frozen=True, slots=True)
class LogWanted:
    """Which lines of the log, in which form."""

    chosen: Chosen
    form: str
    details: bool
    past: bool


def hand_over_log(wanted: LogWanted, to: Path | None) -> None:
    """Print the log, or write it and say how many requests it holds; nothing is held in memory but a few lines."""
    if wanted.form == "parquet" and to is None and sys.stdout.isatty():
        typer.echo("Parquet is not for a terminal: name a file with --to.", err=True)
        raise typer.Exit(2)
    asyncio.run(_log(wanted, to))


def hand_over_figures(said: Year, form: str, to: Path | None) -> None:
    """Print a year's figures, or write them; of Californians alone unless everybody is wanted."""
    found = asyncio.run(_figures(said))
    if form == "table":
        show_figures(found)
        return
    in_form = {"json": figures_as_json, "csv": lambda one, _: figures_as_csv(one), "html": figures_as_page}
    hand_over(in_form[form](found, said), to, f"{said.year}")


def rebuild_book(*, as_json: bool) -> bool:
    """Make the read model anew and say whether it is the same; whether it is."""
    with _progress() as progress:
        found = asyncio.run(rebuilt(local_settings(), progress))
    typer.echo(json.dumps(_facts(found)) if as_json else _sentence(found))
    return not found.different


def hand_over(text: str, to: Path | None, what: str) -> None:
    """Print it, or write it and say so."""
    if to is None:
        typer.echo(text, nl=False)
        return
    with _file(to) as file:
        file.write(text.encode())
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


async def _log(wanted: LogWanted, to: Path | None) -> None:
    settings = local_settings()
    now = clock_of(settings).now()
    with _progress() as progress:
        async with current_book(settings, progress) as book:
            counted = _Counted(_kept(book.lines(wanted.chosen), None if wanted.past else now), wanted.details)
            if to is None:
                _write_log(wanted, counted, sys.stdout.buffer)
                sys.stdout.buffer.flush()
                return
            with _file(to) as file:
                _write_log(wanted, counted, file)
    typer.echo(f"{counted.count} requests: written to {to}.")


def _write_log(wanted: LogWanted, lines: Iterable[Line], file: IO[bytes]) -> None:
    names = columns(details=wanted.details)
    if wanted.form == "parquet":
        log_as_parquet(lines, names, file)
        return
    for piece in log_as_json(lines) if wanted.form == "json" else log_as_csv(lines, names):
        file.write(piece.encode())


class _Counted:
    """The lines as they pass, counted."""

    def __init__(self, records: Iterable[RequestRecord], details: bool) -> None:  # noqa: FBT001 - of this module alone
        self._records = records
        self._details = details
        self.count = 0

    def __iter__(self) -> Iterator[Line]:
        for one in self._records:
            self.count += 1
            yield one.line(details=self._details)


def _kept(records: Iterable[RequestRecord], now: datetime | None) -> Iterator[RequestRecord]:
    """Without those whose months in the log are over."""
    return (one for one in records if now is None or one.is_kept(now))


async def _figures(said: Year) -> list[Figures]:
    chosen = Chosen(date(said.year, 1, 1), date(said.year, 12, 31), said.business)
    if said.law is Law.ccpa and not said.everybody:
        chosen = replace(chosen, regime=CCPA)
    with _progress() as progress:
        async with current_book(local_settings(), progress) as book:
            return figures(book.lines(chosen), said.law)


@contextmanager
def _progress() -> Iterator[Progress]:
    """Say on standard error how far the topics were read."""
    with Console(stderr=True).status("Reading the lifecycle topics ...") as status:

        def progress(count: int, total: int) -> None:
            status.update(f"Reading the lifecycle topics: {count:,} of {total:,} new records ...")

        yield progress


@contextmanager
def _file(to: Path) -> Iterator[IO[bytes]]:
    """The file whole, or not at all."""
    draft = to.with_name(f".{to.name}.part")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(to)
    except OSError as error:
        typer.echo(f"--to: {to} cannot be written ({error.strerror}); name another file.", err=True)
        raise typer.Exit(2) from None
    finally:
        draft.unlink(missing_ok=True)


def _facts(found: Rebuilt) -> dict[str, object]:
    return {
        "requests": found.requests,
        "records": found.records,
        "compared": found.compared,
        "equal": not found.different,
        "different": [str(one) for one in found.different],
    }


def _sentence(found: Rebuilt) -> str:
    made = f"{found.requests:,} requests from {found.records:,} records"
    if not found.compared:
        return f"{made}; there was nothing to compare with."
    if not found.different:
        return f"{made}: the same as before."
    named = "".join(f"\n  {one}" for one in found.different)
    return f"{made}: these were told otherwise before, and stand now as the topics say (the first 20):{named}"
