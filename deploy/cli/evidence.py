"""`habeas evidence`: check a certificate with the public key alone."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Check the proof of a closed request.", no_args_is_help=True)


@app.callback()
def evidence() -> None:
    """Check the proof of a closed request."""


@app.command(
    epilog="Examples:\n\n"
    "habeas evidence verify certificate.jws\n\n"
    "habeas evidence verify certificate.jws --jwks evidence.jwks.json --events events.jsonl --json"
)
def verify(
    file: Annotated[Path, typer.Argument(help="The certificate; - reads standard input.", allow_dash=True)],
    jwks: Annotated[
        Path | None,
        typer.Option(help="The public keys; those of this installation if unset.", show_default=False),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(help='The events to compare with: JSON lines of {"id", "value" in base64}.'),
    ] = None,
    home: Annotated[
        Path, typer.Option(envvar="HABEAS_HOME", help="Where this installation's keys lie.")
    ] = Path(".habeas"),
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say whether a certificate is genuine: exit 0 if it is, 1 if not, 2 if that cannot be told."""
    from deploy.cli.evidence_views import CannotCheck, check, show

    keys = jwks or home / "keys" / "public" / "evidence.jwks.json"
    try:
        verdict = check(file, keys, events)
    except CannotCheck as error:
        typer.echo(f"habeas: {error}", err=True)
        raise typer.Exit(2) from None
    show(verdict, as_json=as_json)
    raise typer.Exit(0 if verdict.genuine else 1)
