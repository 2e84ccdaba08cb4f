"""Who asked for the same before, in memory and in PostgreSQL: the contract suite runs on both."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, cast
from uuid import UUID

import asyncpg

from services.fulfillment.duplicates import same_subject
from shared.machine.decision import Message
from shared.machine.ports import CaseRow, Store, Transaction, Writes
from shared.machine.storage import PostgresStore
from tests.support.domain_driver import Messages
from tests.support.facts import RECEIVED_AT, closed, verified
from tests.support.memory_store import MemoryStore, MemoryTables, MemoryTransaction
from tests.support.memory_subjects import MemorySubjects

MONTH = date(2026, 2, 1)


class SubjectWorld(Protocol):
    """Fulfillment's store, and its `facts`."""

    store: Store

    async def same_subject(
        self, transaction: Transaction, messages: Sequence[Message]
    ) -> dict[UUID, Any]: ...


class MemorySubjectWorld:
    """Dictionaries."""

    def __init__(self) -> None:
        tables = MemoryTables()
        self.store: Store = MemoryStore(tables)
        self._subjects = MemorySubjects(tables)

    async def same_subject(self, transaction: Transaction, messages: Sequence[Message]) -> dict[UUID, Any]:
        return await self._subjects.same_subject(cast("MemoryTransaction", transaction), messages)


class PostgresSubjectWorld:
    """Fulfillment's schema, with its own rights."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.store: Store = PostgresStore(pool)

    async def same_subject(self, transaction: Transaction, messages: Sequence[Message]) -> dict[UUID, Any]:
        return await same_subject(transaction, messages)


@dataclass(frozen=True)
class Person:
    """Somebody who asks, by the hash that verification knows them under."""

    subject_hash: str
    business: str = "cascadia"

    def verified(self, request_id: UUID, right: str = "delete", conclusion: str = "verified") -> Message:
        """The fact that a request is this person's."""
        body = verified(right, business=self.business, conclusion=conclusion, subject_hash=self.subject_hash)
        return Messages(request_id, business=self.business).event(body, at=RECEIVED_AT)


def closing(request_id: UUID) -> Message:
    """The fact that a request is over."""
    return Messages(request_id).event(closed(), at=RECEIVED_AT)


@asynccontextmanager
async def taking(world: SubjectWorld, *messages: Message) -> AsyncIterator[dict[UUID, Any]]:
    """A batch in its transaction, and whom its requests have to join."""
    async with world.store.transaction() as transaction:
        await transaction.lock([message.request_id for message in messages], MONTH)
        yield await world.same_subject(transaction, messages)


async def take(world: SubjectWorld, *messages: Message) -> dict[UUID, Any]:
    """A batch that commits."""
    async with taking(world, *messages) as found:
        return found


async def ended(world: SubjectWorld, request_id: UUID, **more: Any) -> None:
    """A request was fulfilled; with `closed_at`, closed."""
    async with world.store.transaction() as transaction:
        rows = await transaction.lock([request_id], MONTH)
        body = '{"resolution":"complete"}'
        row = rows[request_id]
        written = CaseRow(request_id, row.opened_month, body=body, **more)
        await transaction.write(Writes(cases=[written]))
