"""`habeas topics|migrate|serve|clock`: what an installation needs before and while its services run."""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.moments import moment

if TYPE_CHECKING:
    from deploy.recover import Recovered

topics = typer.Typer(help="Kafka topics, as the catalogue declares them.", no_args_is_help=True)
clock = typer.Typer(help="The demonstration clock (HABEAS_CLOCK=advance).", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SERVICES = ("intake", "verification", "fulfillment", "deadline", "all")
RECOVERED = (*SERVICES[:-1], "vault")


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


@topics.command("access")
def access(
    vendors: Annotated[
        Path | None,
        typer.Option(
            envvar="HABEAS_FULFILLMENT_VENDORS", help="The folder of vendors, whose topics count, too."
        ),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Print who may read and write which topic, as statements for a broker that denies everything else.

    Example: habeas topics access > acls.sh
    """
    from dataclasses import asdict

    from deploy.access import grants
    from deploy.settings import local_settings
    from services.fulfillment.vendors.files import OverKafka, load_vendors

    settings = local_settings()
    described = load_vendors(vendors) if vendors else ()
    told = [one.vendor for one in described if isinstance(one.told, OverKafka)]
    found = grants(told, namespace=settings.namespace)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found]))
    else:
        typer.echo("\n".join(one.statement(settings.kafka_bootstrap) for one in found))


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


def recover(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(RECOVERED)}.")],
    actor: Annotated[str, typer.Option(help="Who does it: a name that the audit chain will hold.")],
    database: Annotated[
        str | None,
        typer.Option(envvar="HABEAS_DATABASE_URL", help="The administrator's URL; the stack's if unset."),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Make a service whose database was restored from a backup fit to start; run it while the service is stopped.

    `vault` destroys again the keys that had been destroyed since the backup of the vault's database.

    Example: habeas recover fulfillment --actor jdoe
    """
    from dataclasses import asdict

    if service not in RECOVERED:
        typer.echo(f"service: {service!r} is none of {', '.join(RECOVERED)}", err=True)
        raise typer.Exit(2)
    if service == "vault":
        typer.echo(
            f"vault: {asyncio.run(_destroy_again(database))} keys are destroyed, again where they had come back"
        )
        return
    done = asyncio.run(_recover(service, actor, database))
    typer.echo(json.dumps(asdict(done)) if as_json else _told(done))


def _told(done: "Recovered") -> str:
    return (
        f"{done.service}: {done.events} events of {done.requests} requests were on its topics and not in its "
        f"database; {done.tasks} tasks will be proved; {done.topics} topics will be read from the beginning."
    )


async def _destroy_again(database_url: str | None) -> int:
    from deploy.dead_letters import database
    from deploy.recover import destroy_again
    from deploy.settings import local_settings

    settings = local_settings()
    async with database(settings, database_url) as connection:
        return await destroy_again(settings, connection)


async def _recover(service: str, actor: str, database_url: str | None) -> "Recovered":
    from deploy.dead_letters import database
    from deploy.recover import recover
    from deploy.settings import local_settings
    from shared.hosting import clock_of

    settings = local_settings()
    async with database(settings, database_url) as connection:
        return await recover(settings, connection, service, actor=actor, now=clock_of(settings).now())


@clock.command("advance")
def advance(
    days: Annotated[float, typer.Option(help="How many days to move forward.")] = 0,
    hours: Annotated[float, typer.Option(help="How many hours to move forward.")] = 0,
    *,
    as_json: Json = False,
) -> None:
    """Move the clock of every service that runs with HABEAS_CLOCK=advance.

    Example: habeas clock advance --days 40
    """
    from shared.clock import AdvancingClock
    from shared.settings import Settings

    settings = Settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    _show_time(
        AdvancingClock(settings.clock_file).advance(timedelta(days=days, hours=hours)), as_json=as_json
    )


@clock.command("show")
def show(*, as_json: Json = False) -> None:
    """Tell what time it is for the services.

    Example: habeas clock show
    """
    from shared.clock import AdvancingClock
    from shared.settings import Settings

    _show_time(AdvancingClock(Settings().clock_file).now(), as_json=as_json)


def _show_time(now: datetime, *, as_json: bool) -> None:
    typer.echo(json.dumps({"now": now.isoformat()}) if as_json else moment(now))
