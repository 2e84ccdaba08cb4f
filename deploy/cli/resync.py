"""`habeas resync`: what readers missed is sent again, of one request or of a whole topic."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from deploy.cli.dead_letters import ME, Actor, Database, Json

if TYPE_CHECKING:
    from datetime import datetime

    import asyncpg

    from deploy.resync import Resent

EACH = 1000
STATES = "dsar.suppressed"
Wanted = Annotated[
    str | None,
    typer.Option(
        help="Instead of one request: send everything again that an outbox still holds of this topic."
    ),
]


def resync(
    request: Annotated[UUID | None, typer.Argument(help="The request's id.")] = None,
    topic: Wanted = None,
    actor: Actor = ME,
    database: Database = None,
    *,
    as_json: Json = False,
) -> None:
    """Let every service send its records again: all about one request, or all of a topic that was lost.

    Readers ignore what they had. The blocked records of a request are tried again too. Of dsar.suppressed each hash is
    told as it stands now. Exit 1 if no service holds any.

    Example: habeas resync 6f9c1f0e-6f0b-5f43-9a52-6a1d2f6f9d11 --actor jdoe
    Example: habeas resync --topic dsar.verified --actor jdoe
    """
    if (request is None) == (topic is None):
        raise typer.BadParameter("give the id of a request, or --topic with a topic's name")
    if request is not None:
        _resync_one(request, actor, database, as_json=as_json)
    elif _known(topic or "") == STATES:
        _restate(database, as_json=as_json)
    else:
        _refill(topic or "", actor, database, as_json=as_json)


def _resync_one(request: UUID, actor: str, database: str | None, *, as_json: bool) -> None:
    from dataclasses import asdict

    sent = asyncio.run(_resent(request, actor, database))
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in sent]))
    else:
        for one in sent:
            typer.echo(f"{one.service:12} {one.records} records again, {one.unblocked} unblocked")
    if not any(one.records or one.unblocked for one in sent):
        typer.echo(f"habeas: no service holds a record about request {request}", err=True)
        raise typer.Exit(1)


def _refill(topic: str, actor: str, database: str | None, *, as_json: bool) -> None:
    requests, records = asyncio.run(_refilled(topic, actor, database))
    told = [
        {"service": service, "requests": requests[service], "records": records[service]}
        for service in requests
    ]
    if as_json:
        typer.echo(json.dumps(told))
    else:
        for one in told:
            typer.echo("{service:12} {requests} requests, {records} records again".format(**one))
    if not told:
        typer.echo(f"habeas: no outbox holds a record that was sent on {topic}", err=True)
        raise typer.Exit(1)


def _restate(database: str | None, *, as_json: bool) -> None:
    records = asyncio.run(_restated(database))
    if as_json:
        typer.echo(json.dumps([{"service": "fulfillment", "hashes": records, "records": records}]))
    else:
        typer.echo(f"fulfillment  {records} hashes, {records} records again")
    if not records:
        typer.echo("habeas: nobody is suppressed", err=True)
        raise typer.Exit(1)


def _known(topic: str) -> str:
    """Refuse what no service says about requests or keeps the state of: nothing of it could be found."""
    from shared.events.topics import DECLARED, SERVICES

    told = [one for one in DECLARED if one.keyed_by == "request" and set(one.writers) & set(SERVICES)]
    if topic != STATES and not any(one.covers(topic) for one in told):
        names = ", ".join((*(one.name for one in told), STATES))
        raise typer.BadParameter(f"{topic!r} is none of {names}", param_hint="--topic")
    return topic


@asynccontextmanager
async def _opened(database_url: str | None) -> "AsyncIterator[tuple[asyncpg.Connection, datetime]]":
    """The services' database with the administrator's rights, and the time by the installation's clock."""
    from deploy.dead_letters import database
    from deploy.settings import local_settings
    from shared.hosting import clock_of

    settings = local_settings()
    async with database(settings, database_url) as connection:
        yield connection, clock_of(settings).now()


async def _resent(request_id: UUID, actor: str, database_url: str | None) -> "list[Resent]":
    from deploy.resync import resync as send_again

    async with _opened(database_url) as (connection, now):
        return await send_again(connection, request_id, actor=actor, now=now)


async def _refilled(topic: str, actor: str, database_url: str | None) -> tuple[Counter[str], Counter[str]]:
    """Requests and records by service; how far it is goes to stderr."""
    from deploy.resync import refill, waiting_for

    requests: Counter[str] = Counter()
    records: Counter[str] = Counter()
    async with _opened(database_url) as (connection, now):
        these = await waiting_for(connection, topic)
        async for service, number in refill(connection, topic, these, actor=actor, now=now):
            requests[service] += 1
            records[service] += number
            if requests.total() % EACH == 0:
                typer.echo(f"{requests.total():,} of {len(these):,} requests", err=True)
    return requests, records


async def _restated(database_url: str | None) -> int:
    """How many; how far it is goes to stderr."""
    from services.fulfillment.restating import restate

    records = 0
    async with _opened(database_url) as (connection, now):
        async for number in restate(connection, now):
            records += number
            typer.echo(f"{records:,} hashes", err=True)
    return records
