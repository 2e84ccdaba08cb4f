"""Which answers were appealed against: an answer is appealed against once, whatever channels its appeals come by.

A row's key decides between two transactions, and the first in the batch between two of one. An appeal that ended
without anybody's judgement (taken back, of nobody who was verified) gives way to the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

import asyncpg

from services.intake.domain import IntakeCase
from services.intake.domain.receiving import appealed_by
from shared.clock import Clock
from shared.machine.decision import Message
from shared.machine.ports import Transaction
from shared.machine.storage import PostgresTransaction
from shared.policy import Regime

# The order keeps two batches from waiting for each other in a circle.
_CLAIM = """
INSERT INTO appeals (appealed, appeal)
SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS a(appealed, appeal) ORDER BY appealed
ON CONFLICT DO NOTHING"""

_HELD = """
SELECT a.appealed, a.appeal, c.body FROM appeals a LEFT JOIN cases c ON c.request_id = a.appeal
WHERE a.appealed = ANY($1::uuid[]) ORDER BY a.appealed FOR UPDATE OF a"""

_TAKE_OVER = """
UPDATE appeals a SET appeal = t.appeal FROM unnest($1::uuid[], $2::uuid[]) AS t(appealed, appeal)
WHERE a.appealed = t.appealed"""


@dataclass(frozen=True, slots=True)
class Appeals:
    """Intake's `facts`: for each appeal that comes too late, the one that came before it."""

    regimes: Mapping[str, Regime]
    clock: Clock

    async def already(self, transaction: Transaction, messages: Sequence[Message]) -> dict[UUID, UUID]:
        """Claim what these messages appeal against; only what would be taken in otherwise claims anything."""
        now = self.clock.now()
        found = [
            (appealed, message.request_id)
            for message in messages
            if (appealed := appealed_by(message, self.regimes, now)) is not None
        ]
        if not found:
            return {}
        connection = cast("PostgresTransaction", transaction).connection
        holders = await _holders(connection, _first_of_each(found))
        return {appeal: holders[appealed] for appealed, appeal in found if holders[appealed] != appeal}


def _first_of_each(found: Sequence[tuple[UUID, UUID]]) -> dict[UUID, UUID]:
    """In the order in which they came: of two against one answer the first."""
    return dict(reversed(found))


async def _holders(connection: asyncpg.Connection, wanted: Mapping[UUID, UUID]) -> dict[UUID, UUID]:
    """Which request holds the appeal against each of these answers from now on."""
    await connection.execute(_CLAIM, list(wanted), list(wanted.values()))
    rows = await connection.fetch(_HELD, list(wanted))
    left = {row["appealed"]: wanted[row["appealed"]] for row in rows if _gives_way(row)}
    if left:
        await connection.execute(_TAKE_OVER, list(left), list(left.values()))
    return {row["appealed"]: row["appeal"] for row in rows} | left


def _gives_way(row: asyncpg.Record) -> bool:
    """A request that is being taken in has no body yet; one that was refused is linked to nothing."""
    if row["body"] is None:
        return False
    case = IntakeCase.model_validate_json(row["body"])
    return case.linked is None or case.linked.request_id != row["appealed"] or case.ended_unjudged
