"""`habeas topics|migrate|serve|clock`: what an installation needs before and while its services run."""

import asyncio
import json
from datetime import timedelta
from typing import Annotated

import typer

topics = typer.Typer(help="Kafka topics, as the catalogue declares them.", no_args_is_help=True)
clock = typer.Typer(help="The demonstration clock (HABEAS_CLOCK=advance).", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SERVICES = ("intake", "verification", "fulfillment", "deadline", "all")


@topics.command("apply")
def apply_topics(*, as_json: Json = False) -> None:
    """Create the missing topics; existing ones are left as they are, and differences are named.

    Example: habeas topics apply
    """
    from deploy.settings import local_settings
    from deploy.topics import apply

    report = asyncio.run(apply(local_settings()))
    if as_json:
        typer.echo(json.dumps(report.to_json()))
        return
    typer.echo(f"{len(report.created)} topics created, {len(report.present)} were there.")
    for difference in report.different:
        typer.echo(f"different: {difference}", err=True)


@topics.command("list")
def list_topics(*, as_json: Json = False) -> None:
    """Show every declared topic with its writers and readers.

    Example: habeas topics list --json
    """
    from dataclasses import asdict

    from shared.events.topics import TOPICS

    if as_json:
        typer.echo(json.dumps([asdict(topic) for topic in TOPICS]))
        return
    for topic in TOPICS:
        typer.echo(f"{topic.name:32} {topic.kind:13} {', '.join(topic.writers)} → {', '.join(topic.readers)}")


def migrate(
    database: Annotated[
        str | None,
        typer.Option(envvar="HABEAS_DATABASE_URL", help="The administrator's URL; the stack's if unset."),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Create or update databases, schemas, roles, tables and key files.

    Example: habeas migrate
    """
    from deploy.installation import install
    from shared.settings import Settings

    done = asyncio.run(install(Settings(), database))
    if as_json:
        typer.echo(json.dumps({"done": done}))
        return
    for line in done:
        typer.echo(line)


def serve(
    service: Annotated[str, typer.Argument(help="intake, verification, fulfillment, deadline, or all")],
    port: Annotated[int | None, typer.Option(help="The HTTP port; with `all`, intake's.")] = None,
) -> None:
    """Run one service, or all of them in one process, until SIGTERM or Ctrl-C.

    Example: habeas serve intake --port 8080
    """
    if service not in SERVICES:
        typer.echo(f"service: {service!r} is none of {', '.join(SERVICES)}", err=True)
        raise typer.Exit(2)
    from deploy.serving import run
    from deploy.settings import local_settings

    settings = local_settings()
    if port is not None:
        settings = settings.model_copy(update={"port": port})
    raise typer.Exit(run(settings, service))


@clock.command("advance")
def advance(
    days: Annotated[float, typer.Option(help="How many days to move forward.")] = 0,
    hours: Annotated[float, typer.Option(help="How many hours to move forward.")] = 0,
) -> None:
    """Move the clock of every service that runs with HABEAS_CLOCK=advance.

    Example: habeas clock advance --days 40
    """
    from shared.clock import AdvancingClock
    from shared.settings import Settings

    settings = Settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    now = AdvancingClock(settings.clock_file).advance(timedelta(days=days, hours=hours))
    typer.echo(now.isoformat())


@clock.command("show")
def show() -> None:
    """Tell what time it is for the services.

    Example: habeas clock show
    """
    from shared.clock import AdvancingClock
    from shared.settings import Settings

    typer.echo(AdvancingClock(Settings().clock_file).now().isoformat())
