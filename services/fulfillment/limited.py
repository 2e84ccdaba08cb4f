"""How often the same verified person was answered before, for the rights that a law limits in number.

Found in the transaction that takes the verification in. Only requests that were answered count; what cannot be told
(a subject under an older key, a request that ended without an answer) does not: in doubt the person is answered.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, cast
from uuid import UUID

import asyncpg

from services.fulfillment.domain.case import PROVED
from services.fulfillment.domain.planning import KNOW
from services.fulfillment.domain.reviewing import AnsweredBefore
from shared.events.verification import VerificationConcluded
from shared.machine.decision import Message
from shared.machine.ports import Transaction
from shared.machine.storage import PostgresTransaction
from shared.policy import load_regime, regime_names
from shared.policy.rights import Right

# A year or a calendar year is what laws look back on, and a request may run for three months.
KEPT: Final = timedelta(days=480)
ANSWERED: Final = ("complete", "partial")

_NOTE = """
INSERT INTO limited_requests (request_id, business, subject_hash, asked, noted_at)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
ON CONFLICT DO NOTHING"""

_BEFORE = """
SELECT later.request_id, (c.body::jsonb ->> 'received_at')::timestamptz AS received_at
FROM limited_requests later
JOIN limited_requests before USING (business, subject_hash, asked)
JOIN cases c ON c.request_id = before.request_id
WHERE later.request_id = ANY($1::uuid[]) AND before.request_id <> later.request_id
  AND c.body::jsonb ->> 'resolution' = ANY($2::text[])
ORDER BY 1, 2"""

_FORGET = "DELETE FROM limited_requests WHERE noted_at < $1"

Row = tuple[UUID, str, str, str, datetime]


def limited_rights() -> frozenset[Right]:
    """The rights that some law lets a business answer only so often."""
    rules = (load_regime(name).rules.rights for name in regime_names())
    return frozenset(right for rights in rules for right, one in rights.items() if one.frequency)


class Limited:
    """The table `limited_requests`: a row for each verified request that may count towards a limit."""

    def __init__(self, pool: asyncpg.Pool, rights: Collection[Right]) -> None:
        self._pool = pool
        self._rights = frozenset(rights)

    async def answered_before(
        self, transaction: Transaction, messages: Sequence[Message]
    ) -> dict[UUID, AnsweredBefore]:
        """For each request that was verified: when the same person's answered ones came, oldest first."""
        rows = sorted(row for message in messages for row in self._rows(message))
        if not rows:
            return {}
        connection = cast("PostgresTransaction", transaction).connection
        await connection.execute(_NOTE, *(list(column) for column in zip(*rows, strict=True)))
        found: dict[UUID, list[datetime]] = {}
        for row in await connection.fetch(_BEFORE, [row[0] for row in rows], list(ANSWERED)):
            found.setdefault(row["request_id"], []).append(row["received_at"])
        return {request_id: AnsweredBefore(tuple(received)) for request_id, received in found.items()}

    async def forget(self, now: datetime) -> None:
        """Let go of what no law looks back on any more."""
        await self._pool.execute(_FORGET, now - KEPT)

    def _rows(self, message: Message) -> Iterator[Row]:
        body = message.body
        if not isinstance(body, VerificationConcluded) or body.conclusion not in PROVED:
            return
        if body.subject_hash and body.right in self._rights:
            counted = "know" if body.right in KNOW else str(body.right)
            yield message.request_id, body.business, body.subject_hash, counted, message.at
