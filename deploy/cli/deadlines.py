"""`habeas deadlines`: the dates that a request received at a given instant would have to keep."""

import json
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from deploy.cli.policy_arguments import read_received, read_regime, read_right, refuse_policy
from shared.policy import Clocks, DueDate, compute_clocks

PRINTED = ("acknowledge_by", "respond_by", "extend_to", "effective_by")

app = typer.Typer(help="Compute statutory dates.", no_args_is_help=True)


@app.callback()
def deadlines() -> None:
    """Compute statutory dates."""


@app.command(
    epilog="Examples:\n\n"
    "habeas deadlines compute --regime us-ca-ccpa --right delete "
    "--received 2026-01-15T10:00:00-08:00 --json\n\n"
    "habeas deadlines compute --regime us-ca-ccpa --right opt_out --received 2026-11-21T01:30:00Z"
)
def compute(
    regime: Annotated[str, typer.Option(help="The body of rules, such as us-ca-ccpa.")],
    right: Annotated[str, typer.Option(help="What is asked; know and access mean know_specific.")],
    received: Annotated[str, typer.Option(help="When the request arrived, ISO 8601 with its offset.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print when a request must be acknowledged and answered, and until when the law would accept it."""
    rules, asked, received_at = read_regime(regime), read_right(right), read_received(received)
    try:
        clocks = compute_clocks(rules, asked, received_at)
    except ValueError as error:
        refuse_policy(error)
    if as_json:
        typer.echo(json.dumps(_as_json(clocks)))
    else:
        _print_table(clocks)


def _as_json(clocks: Clocks) -> dict[str, object]:
    """Keep exactly the documented keys, in their order, null where the right lacks the clock."""
    return clocks.model_dump(mode="json", include={"right", "received_on", *PRINTED})


def _print_table(clocks: Clocks) -> None:
    title = f"{clocks.right}, received on {clocks.received_on}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    for heading in ("clock", "date", "late from (UTC)", "lawful until", "source"):
        table.add_column(heading, overflow="fold")
    for name in PRINTED:
        table.add_row(name, *_row(getattr(clocks, name)))
    Console().print(table)


def _row(due: DueDate | None) -> tuple[str, ...]:
    if due is None:
        return ("-", "", "", "")
    return (str(due.date), f"{due.late_from:%Y-%m-%d %H:%M}", str(due.legal_latest), due.cite)
