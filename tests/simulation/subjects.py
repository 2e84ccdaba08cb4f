"""Who asked for the same before, without a database: what services/fulfillment/duplicates.py asks of its table.

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
from shared.machine.parts import Facts
from shared.machine.ports import Transaction
from tests.simulation.databases import Database, SeenTransaction

SUBJECTS = UUID("7c3e9b1a-52c5-5b5c-9f0a-7d9d8a3f1c42")


def same_subject(database: Database) -> Facts:
    """The service's `facts` over a database in memory."""
    return partial(_same_subject, database)


async def _same_subject(
    database: Database, transaction: Transaction, messages: Sequence[Message]
) -> dict[UUID, Any]:
    assert isinstance(transaction, SeenTransaction)
    changes = transaction.inner.changes
    closed = {message.request_id for message in messages if isinstance(message.body, RequestClosed)}
    changes.extend(partial(_forget, database, request_id) for request_id in sorted(closed))
    firsts: dict[UUID, Any] = {}
    ours: dict[tuple[str, str, str], UUID] = {}
    for sought in sorted({found for message in messages if (found := _sought(message)) is not None}):
        key = (sought.business, sought.subject_hash, sought.right)
        await transaction.inner._acquire(  # noqa: SLF001 - the lock of a row
            uuid5(SUBJECTS, "|".join(key))
        )
        first = _first(database, sought.request_id, ours.get(key) or database.subjects.get(key))
        if first is None:
            ours[key] = sought.request_id
        else:
            firsts[sought.request_id] = first
        changes.append(partial(_remember, database, key, sought.request_id, first))
        if sought.request_id in closed or _is_closed(database, sought.request_id):
            changes.append(partial(_forget, database, sought.request_id))
    return firsts


def _first(database: Database, request_id: UUID, owner: UUID | None) -> UUID | None:
    """Whom to join: what was found once is found again; an owner that has ended gives way."""
    if request_id in database.joined:
        return database.joined[request_id]
    if owner is None or owner == request_id:
        return None
    row = database.tables.cases.get(owner)
    case = FulfillmentCase.model_validate_json(row.body) if row and row.body else FulfillmentCase()
    return owner if case.resolution is None else None


def _is_closed(database: Database, request_id: UUID) -> bool:
    row = database.tables.cases.get(request_id)
    return row is not None and row.closed_at is not None


def _remember(database: Database, key: tuple[str, str, str], request_id: UUID, first: UUID | None) -> None:
    if request_id not in database.joined:
        database.joined[request_id] = first
        if first is None:
            database.subjects[key] = request_id


def _forget(database: Database, request_id: UUID) -> None:
    for key, owner in list(database.subjects.items()):
        if owner == request_id:
            del database.subjects[key]


def _sought(message: Message) -> Sought | None:
    body = message.body
    if not isinstance(body, VerificationConcluded) or body.conclusion not in PROVED or not body.subject_hash:
        return None
    return Sought(body.business, body.subject_hash, str(body.right), message.request_id)
