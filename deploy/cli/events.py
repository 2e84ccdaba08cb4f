"""`habeas events`: what can be said between services, and what was said about one request."""

from typing import Annotated
from uuid import UUID

import typer

app = typer.Typer(help="Look at events: the catalogue, and one request's lifecycle.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list", epilog="Example: habeas events list --json")
def list_types(*, as_json: AsJson = False) -> None:
    """List every event and command with its topic and its meaning."""
    from deploy.cli.event_views import print_catalogue

    print_catalogue(as_json=as_json)


@app.command(epilog="Example: habeas events schema dsar.request.received.v1")
def schema(
    ce_type: Annotated[
        str, typer.Argument(metavar="TYPE", help="Its full name, as `habeas events list` says it.")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="The schema is JSON in any case.")] = False,
) -> None:
    """Print the JSON Schema of one type."""
    from deploy.cli.event_views import print_schema

    print_schema(ce_type, indented=not as_json)


@app.command(
    epilog="Examples:\n\nhabeas events show 0199c0de-7000-7000-8000-00000000c0de\n\n"
    "habeas events show 0199c0de-7000-7000-8000-00000000c0de --json"
)
def show(
    request: Annotated[UUID, typer.Argument(help="The request's id.")], *, as_json: AsJson = False
) -> None:
    """Show what was stated about one request, in order, read from Kafka; sealed fields stay sealed.

    Exit 1 if the topics hold nothing about it.
    """
    import asyncio

    from deploy.cli.event_views import print_history
    from deploy.event_history import history
    from deploy.settings import local_settings

    print_history(request, asyncio.run(history(local_settings(), request)), as_json=as_json)
