"""`habeas report`: the request log and the yearly figures, made anew from Kafka's lifecycle topics."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="The request log (11 CCR 7101) and the yearly figures (11 CCR 7102).", no_args_is_help=True
)


class LogForm(StrEnum):
    csv = "csv"
    json = "json"


class FiguresForm(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"
    html = "html"


To = Annotated[Path | None, typer.Option(help="Write it here; else it is printed.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="The same as --format json.")]


@app.command(
    epilog="Examples:\n\nhabeas report log --to log.csv\n\n"
    "habeas report log --business cascadia --from 2026-01-01 --through 2026-12-31 --json"
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
    to: To = None,
    as_json: AsJson = False,
) -> None:
    """Print the log: when and how each request came, and when and how it was answered; no identity."""
    from deploy.cli.report_views import chosen, hand_over, read_log
    from deploy.reports.forms import log_as_csv, log_as_json

    between = _day(first, "--from"), _day(last, "--through")
    records = chosen(read_log(), business, between)
    in_json = as_json or form is LogForm.json
    hand_over(log_as_json(records) if in_json else log_as_csv(records), to, f"{len(records)} requests")


@app.command(
    epilog="Examples:\n\nhabeas report metrics --year 2026 --business cascadia\n\n"
    "habeas report metrics --year 2026 --business cascadia --format html --to metrics-2026.html"
)
def metrics(
    *,
    year: Annotated[int, typer.Option(min=2020, max=2100, help="The calendar year of receipt.")],
    business: Annotated[str, typer.Option(help="The business.")],
    form: Annotated[FiguresForm, typer.Option("--format")] = FiguresForm.table,
    to: To = None,
    as_json: AsJson = False,
) -> None:
    """Count a year's requests by kind: received, complied with, denied and why, days to the answer."""
    from deploy.cli.report_views import hand_over, read_log, show_figures
    from deploy.reports.forms import figures_as_csv, figures_as_json, figures_as_page
    from deploy.reports.metrics import figures

    found = figures(read_log(), year, business)
    if as_json or form is FiguresForm.json:
        hand_over(figures_as_json(found, year, business), to, f"{year}")
    elif form is FiguresForm.csv:
        hand_over(figures_as_csv(found), to, f"{year}")
    elif form is FiguresForm.html:
        hand_over(figures_as_page(found, year, business), to, f"{year}")
    else:
        show_figures(found)


def _day(text: str | None, option: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        typer.echo(f"{option}: write the day as YYYY-MM-DD.", err=True)
        raise typer.Exit(2) from None
