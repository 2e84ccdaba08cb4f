"""Which verified requests ask for the same, found out in the transaction that takes the verification in.

A subject's open request owns the row (business, subject hash, right). The unique index decides between two
transactions; an owner that has ended gives way. What a request once found stays, so that a replay finds it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import asyncpg

from services.fulfillment.domain.case import PROVED
from shared.events.deadline import RequestClosed
from shared.events.verification import VerificationConcluded
from shared.machine.decision import Message
from shared.machine.ports import Transaction
from shared.machine.storage import PostgresTransaction

AT_MOST = 3

# The order keeps two batches that insert the same subjects from waiting for each other in a circle.
_CLAIM = """
INSERT INTO open_subject (request_id, business, subject_hash, asked)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS c(request_id, business, hash, asked)
ORDER BY business, hash, asked, request_id
ON CONFLICT DO NOTHING RETURNING request_id"""

_KNOWN = "SELECT request_id, duplicate_of FROM open_subject WHERE request_id = ANY($1::uuid[])"

_OWNER = """
SELECT o.request_id, c.body::jsonb ->> 'resolution' AS resolution
FROM open_subject o JOIN cases c USING (request_id)
WHERE o.business = $1 AND o.subject_hash = $2 AND o.asked = $3"""

_JOIN = """
INSERT INTO open_subject (request_id, business, subject_hash, asked, duplicate_of)
VALUES ($1, $2, NULL, $3, $4) ON CONFLICT DO NOTHING"""

# Verification may be heard of with the closing, or after it: a closed request's subject is not remembered anew.
_FORGET_CLOSED = """
UPDATE open_subject o SET subject_hash = NULL FROM cases c
WHERE o.request_id = ANY($1::uuid[]) AND o.subject_hash IS NOT NULL AND c.request_id = o.request_id
  AND (c.closed_at IS NOT NULL OR c.request_id = ANY($2::uuid[]))"""

_FORGET = "UPDATE open_subject SET subject_hash = NULL WHERE request_id = ANY($1::uuid[]) AND subject_hash IS NOT NULL"


@dataclass(frozen=True, slots=True, order=True)
class Sought:
    """A verified request: of whom, for what."""

    business: str
    subject_hash: str
    right: str
    request_id: UUID


async def same_subject(transaction: Transaction, messages: Sequence[Message]) -> dict[UUID, Any]:
    """For each request that turns out to be somebody's second for the same right: the first one's id."""
    closed = [message.request_id for message in messages if isinstance(message.body, RequestClosed)]
    sought = sorted({found for message in messages if (found := _sought(message)) is not None})
    if not closed and not sought:
        return {}
    connection = cast("PostgresTransaction", transaction).connection
    if closed:
        await connection.execute(_FORGET, sorted(closed))
    if not sought:
        return {}
    firsts = await _firsts(connection, sought)
    await connection.execute(_FORGET_CLOSED, [each.request_id for each in sought], closed)
    return firsts


def _sought(message: Message) -> Sought | None:
    body = message.body
    if not isinstance(body, VerificationConcluded) or body.conclusion not in PROVED or not body.subject_hash:
        return None
    return Sought(body.business, body.subject_hash, str(body.right), message.request_id)


async def _firsts(connection: asyncpg.Connection, sought: Sequence[Sought]) -> dict[UUID, Any]:
    owned = {row["request_id"] for row in await connection.fetch(_CLAIM, *_columns(sought))}
    rest = [each for each in sought if each.request_id not in owned]
    if not rest:
        return {}
    rows = await connection.fetch(_KNOWN, [each.request_id for each in rest])
    known: dict[UUID, UUID | None] = {row["request_id"]: row["duplicate_of"] for row in rows}
    firsts = {request_id: first for request_id, first in known.items() if first is not None}
    for each in rest:
        if each.request_id not in known and (first := await _join(connection, each)) is not None:
            firsts[each.request_id] = first
    return firsts


async def _join(connection: asyncpg.Connection, sought: Sought) -> UUID | None:
    """Join the owner, or take its place if it has ended; None where the request owns the subject now."""
    key = (sought.business, sought.subject_hash, sought.right)
    for _ in range(AT_MOST):
        owner = await connection.fetchrow(_OWNER, *key)
        if owner is not None and owner["resolution"] is None:
            await connection.execute(
                _JOIN, sought.request_id, sought.business, sought.right, owner["request_id"]
            )
            return UUID(str(owner["request_id"]))
        if owner is not None:
            await connection.execute(_FORGET, [owner["request_id"]])
        if await connection.fetch(_CLAIM, *_columns([sought])):
            return None
    return None


def _columns(sought: Sequence[Sought]) -> tuple[list[Any], ...]:
    return (
        [each.request_id for each in sought],
        [each.business for each in sought],
        [each.subject_hash for each in sought],
        [each.right for each in sought],
    )
