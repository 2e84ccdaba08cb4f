"""`habeas package`: check the archive that somebody received as an answer."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Check the archive of an answer.", no_args_is_help=True)


@app.callback()
def package() -> None:
    """Check the archive of an answer."""


@app.command(
    epilog="Examples:\n\nhabeas package verify answer.zip\n\n"
    "habeas package verify answer.zip --jwks answers.jwks.json --json"
)
def verify(
    file: Annotated[Path, typer.Argument(help="The archive.")],
    jwks: Annotated[
        Path | None,
        typer.Option(help="The business's public keys; those of this installation if unset."),
    ] = None,
    home: Annotated[
        Path, typer.Option(envvar="HABEAS_HOME", help="Where this installation's keys lie.")
    ] = Path(".habeas"),
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say whether an answer is as it was signed: exit 0 if it is, 1 if not, 2 if that cannot be told."""
    from deploy.cli.evidence_views import CannotCheck
    from deploy.cli.package_views import check, show

    try:
        found = check(file, jwks or home / "keys" / "public" / "answers.jwks.json")
    except CannotCheck as error:
        typer.echo(f"habeas: {error}", err=True)
        raise typer.Exit(2) from None
    show(found, as_json=as_json)
    raise typer.Exit(0 if found.genuine else 1)
