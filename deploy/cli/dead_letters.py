"""`habeas dead-letters`: what could not be read or handled."""

import asyncio
import getpass
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from deploy.cli.moments import moment

if TYPE_CHECKING:
    from deploy.dead_letters import Letter

app = typer.Typer(
    help="Records that could not be read or handled: look at them, try them again.", no_args_is_help=True
)

ME = getpass.getuser()
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Database = Annotated[
    str | None,
    typer.Option(envvar="HABEAS_DATABASE_URL", help="The administrator's URL; the stack's if unset."),
]
LetterId = Annotated[UUID, typer.Argument(metavar="LETTER", help="The letter's id, as `list` prints it.")]


def _account(name: str) -> str:
    """It goes into the audit chain, which outlives every person's data."""
    if not re.fullmatch(r"[A-Za-z0-9._:-]{1,80}", name):
        raise typer.BadParameter("an account name: letters, digits and . _ : - only")
    return name


Actor = Annotated[
    str,
    typer.Option(
        help="Who does it; an account name, never an address.", envvar="HABEAS_ACTOR", callback=_account
    ),
]
Service = Annotated[str | None, typer.Option(help="Only this service's letters.")]


@app.command("list", epilog="Example: habeas dead-letters list --service intake --json")
def list_letters(
    service: Service = None,
    database: Database = None,
    *,
    replayed: Annotated[bool, typer.Option("--all", help="Also those that were replayed.")] = False,
    as_json: Json = False,
) -> None:
    """List dead letters, oldest first; exit 0 whether there are any or not."""
    found = asyncio.run(_list(_services(service), database, replayed=replayed))
    if as_json:
        typer.echo(json.dumps([one.to_json() for one in found]))
        return
    for one in found:
        about = one.request_id or "no request"
        done = f"  replayed by {one.replayed_by}" if one.replayed_at else ""
        typer.echo(f"{one.id}  {moment(one.at)}  {one.service:12}  {one.reason}  {about}{done}")


@app.command(
    epilog="Example: habeas dead-letters show 5d0c1f7e-3a52-5b0e-9c0a-2f6f9d117a01 --out record.json"
)
def show(
    letter_id: LetterId,
    database: Database = None,
    *,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the opened record into this private file: it may hold a person's data."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show where a letter came from and why; its content only ever goes into a private file."""
    one = asyncio.run(_show(letter_id, database, out))
    if as_json:
        typer.echo(json.dumps(one.to_json()))
        return
    times = {"at": one.at, "replayed_at": one.replayed_at}
    for name, value in one.to_json().items():
        at = times.get(name)
        told = moment(at) if at is not None else "-" if value is None else value
        typer.echo(f"{name.replace('_', ' '):12} {told}")


@app.command(
    epilog="Examples:\n\n"
    "habeas dead-letters replay 5d0c1f7e-3a52-5b0e-9c0a-2f6f9d117a01 --actor jdoe\n\n"
    "habeas dead-letters replay --all --reason unhandled:KeyError --limit 500"
)
def replay(  # noqa: PLR0913 - one option for each way to choose
    letter_id: Annotated[UUID | None, typer.Argument(metavar="[LETTER]", help="One letter's id.")] = None,
    actor: Actor = ME,
    database: Database = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All open letters, oldest first.")] = False,
    reason: Annotated[
        str | None, typer.Option(help="With --all: this reason, or all that begin so before a colon.")
    ] = None,
    service: Service = None,
    limit: Annotated[int | None, typer.Option(min=1, help="With --all: at most so many.")] = None,
    as_json: Json = False,
) -> None:
    """Try a record again, in its place in the order; what waited behind it follows.

    The running service takes it up within seconds. If it fails again the same letter is open again.
    """
    if (letter_id is None) != every or (letter_id and (reason or service or limit)):
        typer.echo("name one LETTER, or say --all with what to choose by", err=True)
        raise typer.Exit(2)
    if letter_id is None:
        from deploy.cli.replaying import replay_many
        from deploy.dead_letters import Choice

        choice = Choice(_services(service), reason, limit)
        raise typer.Exit(replay_many(choice, actor=actor, database=database, as_json=as_json))
    _replay_one(letter_id, actor, database, as_json=as_json)


def _replay_one(letter_id: UUID, actor: str, database: str | None, *, as_json: bool) -> None:
    request_id = asyncio.run(_replay(letter_id, actor, database))
    if as_json:
        typer.echo(json.dumps({"letter": str(letter_id), "request_id": str(request_id), "actor": actor}))
        return
    typer.echo(f"replayed: request {request_id} goes on")


def _services(service: str | None) -> list[str]:
    from shared.events.topics import SERVICES

    if service is not None and service not in SERVICES:
        typer.echo(f"service: {service!r} is none of {', '.join(SERVICES)}", err=True)
        raise typer.Exit(2)
    return [service] if service else list(SERVICES)


async def _list(services: list[str], database_url: str | None, *, replayed: bool) -> list["Letter"]:
    from deploy.dead_letters import database, letters
    from deploy.settings import local_settings

    async with database(local_settings(), database_url) as connection:
        return await letters(connection, services, replayed=replayed)


async def _show(letter_id: UUID, database_url: str | None, out: Path | None) -> "Letter":
    from deploy.dead_letters import database, letter, opened
    from deploy.settings import local_settings
    from shared.private_files import write_private

    settings = local_settings()
    async with database(settings, database_url) as connection:
        one = await letter(connection, letter_id)
    if out is not None:
        write_private(out, (await opened(settings, one)).to_bytes())
    return one


async def _replay(letter_id: UUID, actor: str, database_url: str | None) -> UUID:
    from deploy import dead_letters
    from deploy.settings import local_settings
    from shared.hosting import clock_of

    settings = local_settings()
    async with dead_letters.database(settings, database_url) as connection:
        one = await dead_letters.letter(connection, letter_id)
        now = clock_of(settings).now()
        return await dead_letters.replay(settings, connection, one, actor=actor, now=now)
