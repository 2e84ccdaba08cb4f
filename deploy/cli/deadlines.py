"""`habeas deadlines`: the dates that a request received at a given instant would have to keep."""

from typing import Annotated

import typer

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
    from deploy.cli.policy_arguments import compute_or_refuse, read_received, read_regime, read_right
    from deploy.cli.policy_views import print_clocks

    rules, asked, received_at = read_regime(regime), read_right(right), read_received(received)
    print_clocks(compute_or_refuse(rules, asked, received_at), as_json=as_json)
