"""What an operator does where readers missed records: those of a request, or of a whole topic, are sent again.

Readers ignore what they had. The administrator's database URL is used.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from deploy.dead_letters import noted
from shared import audit
from shared.events.topics import SERVICES
from shared.machine.ports import Writes
from shared.outbox import statements as outbox


@dataclass(frozen=True, slots=True)
class Resent:
    """How many of a service's records about a request go out again, and how many blocked ones may try again."""

    service: str
    records: int
    unblocked: int


async def resync(
    connection: asyncpg.Connection, request_id: UUID, *, actor: str, now: datetime
) -> list[Resent]:
    """Let every service send all its records about a request again."""
    return [await _resent(connection, service, request_id, actor, now) for service in SERVICES]


async def waiting_for(connection: asyncpg.Connection, topic: str) -> list[tuple[str, UUID]]:
    """The requests, each with its service, of which an outbox still holds records that were sent on a topic."""
    return [
        (service, row["request_id"])
        for service in SERVICES
        for row in await connection.fetch(outbox.SENT_ON.format(schema=service), topic)
    ]


async def refill(
    connection: asyncpg.Connection,
    topic: str,
    these: Sequence[tuple[str, UUID]],
    *,
    actor: str,
    now: datetime,
) -> AsyncIterator[tuple[str, int]]:
    """Send these requests' records on a topic again, one request in a transaction; each service with their number."""
    for service, request_id in these:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL search_path TO {service}")
            records = _count(await connection.execute(outbox.RESYNC_ON, request_id, topic))
            facts: dict[str, audit.Fact] = {"actor": actor, "records": records, "topic": topic}
            await _note(connection, request_id, facts, now)
        yield service, records


async def _resent(
    connection: asyncpg.Connection, service: str, request_id: UUID, actor: str, now: datetime
) -> Resent:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL search_path TO {service}")
        unblocked = _count(await connection.execute(outbox.UNBLOCK, request_id))
        records = _count(await connection.execute(outbox.RESYNC, request_id))
        if records or unblocked:
            facts: dict[str, audit.Fact] = {"actor": actor, "records": records, "unblocked": unblocked}
            await _note(connection, request_id, facts, now)
    return Resent(service, records, unblocked)


async def _note(
    connection: asyncpg.Connection, request_id: UUID, facts: dict[str, audit.Fact], now: datetime
) -> None:
    """A line in the request's chain says who did it."""
    transaction, row = await noted(connection, request_id, "request.resynced", facts, now)
    await transaction.write(Writes(cases=[row]))


def _count(status: str) -> int:
    return int(status.rpartition(" ")[2])
