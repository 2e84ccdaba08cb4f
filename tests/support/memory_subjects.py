"""Who asked for the same before, without a database: proven equal to the real table by tests/contracts/fulfillment.

The unique index makes a second transaction wait for the first one's end; here a lock on the subject does.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from services.fulfillment.domain import FulfillmentCase
from services.fulfillment.domain.case import PROVED
from services.fulfillment.duplicates import Sought
from shared.events.deadline import RequestClosed
from shared.events.verification import VerificationConcluded
from shared.machine.decision import Message
from tests.support.memory_store import MemoryTables, MemoryTransaction

SUBJECTS = UUID("7c3e9b1a-52c5-5b5c-9f0a-7d9d8a3f1c42")
Key = tuple[str, str, str]


class MemorySubjects:
    """What services/fulfillment/duplicates.py asks of its table: who owns a subject, and who joined whom."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables
        self.owners: dict[Key, UUID] = {}
        self.joined: dict[UUID, UUID | None] = {}

    async def same_subject(
        self, transaction: MemoryTransaction, messages: Sequence[Message]
    ) -> dict[UUID, Any]:
        """For each request that turns out to be somebody's second for the same right: the first one's id."""
        closed = {message.request_id for message in messages if isinstance(message.body, RequestClosed)}
        transaction.changes.extend(partial(self._forget, request_id) for request_id in sorted(closed))
        firsts: dict[UUID, Any] = {}
        ours: dict[Key, UUID] = {}
        for sought in sorted({found for message in messages if (found := _sought(message)) is not None}):
            key = (sought.business, sought.subject_hash, sought.right)
            await transaction.hold(uuid5(SUBJECTS, "|".join(key)))
            first = self._first(sought.request_id, ours.get(key) or self.owners.get(key), closed)
            if first is None:
                ours[key] = sought.request_id
            else:
                firsts[sought.request_id] = first
            transaction.changes.append(partial(self._remember, key, sought.request_id, first))
            if sought.request_id in closed or self._is_closed(sought.request_id):
                transaction.changes.append(partial(self._forget, sought.request_id))
        return firsts

    def _first(self, request_id: UUID, owner: UUID | None, closed: set[UUID]) -> UUID | None:
        """Whom to join: what was found once is found again; an owner that has ended gives way."""
        if request_id in self.joined:
            return self.joined[request_id]
        if owner is None or owner == request_id or owner in closed:
            return None
        row = self._tables.cases.get(owner)
        case = FulfillmentCase.model_validate_json(row.body) if row and row.body else FulfillmentCase()
        return owner if case.resolution is None else None

    def _is_closed(self, request_id: UUID) -> bool:
        row = self._tables.cases.get(request_id)
        return row is not None and row.closed_at is not None

    def _remember(self, key: Key, request_id: UUID, first: UUID | None) -> None:
        if request_id not in self.joined:
            self.joined[request_id] = first
            if first is None:
                self.owners[key] = request_id

    def _forget(self, request_id: UUID) -> None:
        for key, owner in list(self.owners.items()):
            if owner == request_id:
                del self.owners[key]


def _sought(message: Message) -> Sought | None:
    body = message.body
    if not isinstance(body, VerificationConcluded) or body.conclusion not in PROVED or not body.subject_hash:
        return None
    return Sought(body.business, body.subject_hash, str(body.right), message.request_id)
