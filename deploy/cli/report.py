"""`habeas report`: the request log and the yearly figures, from a read model of Kafka's lifecycle topics."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="The request log (11 CCR 7101) and the yearly figures (11 CCR 7102; Civ. Code 1798.99.85).",
    no_args_is_help=True,
)


class LogForm(StrEnum):
    csv = "csv"
    json = "json"
    parquet = "parquet"


class FiguresForm(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"
    html = "html"


class Under(StrEnum):
    ccpa = "ccpa"
    delete_act = "delete-act"


To = Annotated[Path | None, typer.Option(help="Write it here; else it is printed.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="The same as --format json.")]


@app.command(
    epilog="Examples:\n\nhabeas report log --to log.csv\n\n"
    "habeas report log --format parquet --to log.parquet\n\n"
    "habeas report log --business cascadia --from 2026-01-01 --through 2026-12-31 --details --json"
)
def log(  # noqa: PLR0913 - one option for each thing that can be said
    *,
    business: Annotated[str | None, typer.Option(help="Of this business alone.")] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Received on this day or later.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--through", metavar="DATE", help="Received on this day or earlier.")
    ] = None,
    form: Annotated[LogForm, typer.Option("--format")] = LogForm.csv,
    details: Annotated[
        bool,
        typer.Option(
            "--details", help="Beside the regulation's fields: regime, dates owed, whether in time."
        ),
    ] = False,
    past: Annotated[
        bool, typer.Option("--past", help="Also requests whose 24 months since the last event are over.")
    ] = False,
    to: To = None,
    as_json: AsJson = False,
) -> None:
    """Print the log: when and how each request came, and when and how it was answered; no identity."""
    from deploy.cli.report_views import LogWanted, hand_over_log
    from deploy.reports.book import Chosen

    chosen = Chosen(_day(first, "--from"), _day(last, "--through"), business)
    hand_over_log(LogWanted(chosen, "json" if as_json else form.value, details, past), to)


@app.command(
    epilog="Examples:\n\nhabeas report metrics --year 2026 --business cascadia\n\n"
    "habeas report metrics --year 2026 --business cascadia --format html --title 'Cascadia Motors' --to 2026.html\n\n"
    "habeas report metrics --year 2026 --business cascadia --under delete-act"
)
def metrics(  # noqa: PLR0913 - one option for each thing that can be said
    *,
    year: Annotated[int, typer.Option(min=2020, max=2100, help="The calendar year of receipt.")],
    business: Annotated[str, typer.Option(help="The business.")],
    under: Annotated[
        Under, typer.Option(help="The law that asks for them; delete-act is for data brokers.")
    ] = Under.ccpa,
    everybody: Annotated[
        bool,
        typer.Option("--everybody", help="Of all individuals, not of Californians alone (11 CCR 7102(a))."),
    ] = False,
    title: Annotated[
        str | None, typer.Option(help="How the page names the business.", show_default="as --business")
    ] = None,
    form: Annotated[FiguresForm, typer.Option("--format")] = FiguresForm.table,
    to: To = None,
    as_json: AsJson = False,
) -> None:
    """Count a year's requests by kind: received, complied with, denied and why, days to the answer."""
    from deploy.cli.report_views import hand_over_figures
    from deploy.reports.forms import Year
    from deploy.reports.metrics import Law

    said = Year(year=year, business=business, law=Law(under.value), everybody=everybody, title=title)
    hand_over_figures(said, "json" if as_json else form.value, to)


@app.command(epilog="Example: habeas report rebuild")
def rebuild(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False
) -> None:
    """Make the read model anew from the topics' first record; exit 1 if it says otherwise than before."""
    from deploy.cli.report_views import rebuild_book

    raise typer.Exit(0 if rebuild_book(as_json=as_json) else 1)


def _day(text: str | None, option: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        typer.echo(f"{option}: write the day as YYYY-MM-DD.", err=True)
        raise typer.Exit(2) from None
