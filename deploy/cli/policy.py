"""`habeas policy`: what a regime says, with the source of every rule."""

from typing import Annotated

import typer

app = typer.Typer(help="Look at the law as data.", no_args_is_help=True)


@app.callback()
def policy() -> None:
    """Look at the law as data."""


@app.command(
    epilog="Examples:\n\nhabeas policy show us-ca-ccpa\n\nhabeas policy show us-ca-ccpa --right delete --json"
)
def show(
    regime: Annotated[str, typer.Argument(help="The body of rules, such as us-ca-ccpa.")],
    right: Annotated[str | None, typer.Option(help="Show this right alone.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print a regime's rights with their clocks, degree of verification, source and confidence."""
    from deploy.cli.policy_arguments import read_granted_right, read_regime
    from deploy.cli.policy_views import print_regime

    rules = read_regime(regime)
    chosen = (read_granted_right(rules, right),) if right is not None else tuple(rules.rules.rights)
    print_regime(rules, chosen, as_json=as_json)
