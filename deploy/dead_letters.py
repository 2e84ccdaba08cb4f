"""What an operator does with dead letters, and with a request whose records somebody missed (ADR 0005).

The administrator's database URL is used: a service may add to its own history, a person may mend it.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Self
from urllib.parse import unquote, urlsplit
from uuid import UUID

import asyncpg

from deploy.installation import stack_database
from deploy.migrate import with_database
from shared import audit
from shared.clock import Clock
from shared.dead_letter_seal import DeadLetterSeal
from shared.events.envelope import Raw, Unreadable
from shared.events.topics import SERVICES
from shared.keyfiles import KeyFiles
from shared.machine.batch import parked_key
from shared.machine.decision import Message
from shared.machine.incoming import to_incoming
from shared.machine.ports import CaseRow, Parked, Writes
from shared.machine.storage import PostgresTransaction
from shared.private_files import read_private
from shared.settings import Settings
from shared.vault import CannotUnseal, KeyDestroyed, KeyUnknown, PostgresKeys, Vault

# Any service that may open keys can open the month's; the file is there wherever services run.
_OPENER = "intake"
_COLUMNS = 'id, at, topic, partition, "offset", request_id, reason, field, sealed, replayed_at, replayed_by'
_REPLAYED = "UPDATE dead_letters SET replayed_at = $2, replayed_by = $3 WHERE id = $1"


class CannotReplay(Exception):
    """Why a letter, or a request's records, cannot be sent again; one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter without its content."""

    service: str
    id: UUID
    at: datetime
    topic: str
    partition: int
    offset: int
    request_id: UUID | None
    reason: str
    field: str | None
    sealed: str
    replayed_at: datetime | None
    replayed_by: str | None

    @classmethod
    def of(cls, service: str, row: Any) -> Self:
        return cls(service=service, **row)

    @property
    def handled_badly(self) -> bool:
        """Whether the record could be read: then it is still parked, and its case is blocked."""
        return self.reason.startswith("unhandled:")

    def to_json(self) -> dict[str, str | int | None]:
        """Everything but the sealed content."""
        told = {name: value for name, value in asdict(self).items() if name != "sealed"}
        return {
            name: value if isinstance(value, int) or value is None else str(value)
            for name, value in told.items()
        }


@asynccontextmanager
async def database(settings: Settings, admin_url: str | None) -> AsyncIterator[asyncpg.Connection]:
    """The services' database, with the administrator's rights.

    Raises:
        deploy.local.errors.StackError, shared.private_files.KeyFileRefused, asyncpg.PostgresError, OSError
    """
    url = admin_url or stack_database(settings.home)
    own = read_private(settings.database_url_file(SERVICES[0]), made_by="habeas migrate").decode()
    connection = await asyncpg.connect(with_database(url, unquote(urlsplit(own).path.lstrip("/"))))
    try:
        yield connection
    finally:
        await connection.close()


async def letters(
    connection: asyncpg.Connection, services: Sequence[str] = SERVICES, *, replayed: bool = False
) -> list[Letter]:
    """The dead letters of these services, oldest first; those replayed already only if asked for."""
    found: list[Letter] = []
    for service in services:
        query = f"SELECT {_COLUMNS} FROM {service}.dead_letters WHERE $1 OR replayed_at IS NULL"  # noqa: S608 - our own names
        found += [Letter.of(service, row) for row in await connection.fetch(query, replayed)]
    return sorted(found, key=lambda letter: letter.at)


async def letter(connection: asyncpg.Connection, letter_id: UUID) -> Letter:
    """One dead letter.

    Raises:
        CannotReplay: there is none of that id.
    """
    for one in await letters(connection, replayed=True):
        if one.id == letter_id:
            return one
    raise CannotReplay(f"there is no dead letter {letter_id}; see: habeas dead-letters list --all")


async def opened(settings: Settings, one: Letter) -> Raw:
    """The record as it lay on its topic.

    Raises:
        CannotReplay: its month's key was destroyed, or it was changed.
    """
    url = read_private(settings.vault_url_file(_OPENER), made_by="habeas migrate").decode()
    connection = await asyncpg.connect(url)
    try:
        vault = Vault(PostgresKeys(connection), KeyFiles(settings.keys).kek(), monotonic=time.monotonic)
        return Raw.from_bytes(await DeadLetterSeal(vault).open(one.sealed, letter_id=one.id))
    except (KeyDestroyed, KeyUnknown, CannotUnseal) as error:
        raise CannotReplay(f"letter {one.id} cannot be opened any more: {error}") from None
    finally:
        await connection.close()


async def replay(
    settings: Settings, connection: asyncpg.Connection, one: Letter, *, actor: str, now: datetime
) -> UUID:
    """Put a letter back into its service's own order, and free its case; the request that it is about.

    Raises:
        CannotReplay: the record can still not be read, or not be opened any more.
    """
    message = None if one.handled_badly else await _readable(settings, one)
    request_id = message.request_id if message is not None else one.request_id
    if request_id is None:
        raise CannotReplay(f"letter {one.id} is about no request; there is nothing to try again")
    async with connection.transaction():
        await connection.execute(f"SET LOCAL search_path TO {one.service}")
        facts: dict[str, audit.Fact] = {"letter": str(one.id), "actor": actor, "reason": one.reason}
        transaction, row = await noted(connection, request_id, "dead-letter.replayed", facts, now)
        writes = Writes(cases=[replace(row, blocked=False)])
        if message is not None and message.raw is not None:
            writes.parked.append(Parked(parked_key(message), message.sequence, message.raw))
        await transaction.write(writes)
        await connection.execute(_REPLAYED, one.id, now, actor)
    return request_id


@dataclass(frozen=True, slots=True)
class Choice:
    """Which open letters: of these services, with this reason or one that begins so before a colon, at most so many."""

    services: Sequence[str]
    reason: str | None = None
    limit: int | None = None

    async def of(self, connection: asyncpg.Connection) -> list[Letter]:
        """The letters, oldest first."""
        found = await letters(connection, self.services)
        reason = self.reason
        return [one for one in found if reason is None or f"{one.reason}:".startswith(f"{reason}:")][
            : self.limit
        ]


async def replay_all(
    settings: Settings, connection: asyncpg.Connection, these: Sequence[Letter], *, actor: str, clock: Clock
) -> AsyncIterator[tuple[Letter, str]]:
    """Each letter by itself, oldest first, with what kept it from being replayed, or ""."""
    for one in these:
        try:
            await replay(settings, connection, one, actor=actor, now=clock.now())
        except CannotReplay as error:
            yield one, str(error)
        else:
            yield one, ""


async def _readable(settings: Settings, one: Letter) -> Message:
    item = to_incoming(await opened(settings, one))
    if isinstance(item, Unreadable):
        at = f" ({item.field})" if item.field else ""
        raise CannotReplay(
            f"letter {one.id} can still not be read: {item.reason}{at}; "
            "a version that knows its type has to run, or its sender has to send it rightly"
        )
    return item


async def noted(
    connection: asyncpg.Connection,
    request_id: UUID,
    kind: str,
    facts: dict[str, audit.Fact],
    now: datetime,
) -> tuple[PostgresTransaction, CaseRow]:
    """The locked case after a line in its chain that says who did what."""
    transaction = PostgresTransaction(connection)
    row = (await transaction.lock([request_id], now.date().replace(day=1)))[request_id]
    entry = audit.append(row.head, audit.AuditEntry(request_id, now, kind, facts))
    await transaction.write(Writes(audit=[entry]))
    return transaction, row.with_head(entry)
