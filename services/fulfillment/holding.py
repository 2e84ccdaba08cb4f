"""Which standing holds are in force: rows by their ids, and whom a call is about as keyed hashes.

A hold comes into force with the commit of the command that places it. A call whose intent was committed before that
goes through; of those that come after it none does: each takes the same lock, shared, before it looks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast
from uuid import UUID

import asyncpg

from services.fulfillment.domain import FulfillmentCase
from services.fulfillment.domain.holds import StandingHold
from services.fulfillment.domain.planning import DESTRUCTIVE
from services.fulfillment.ports import Subject
from shared.events.commands import PlaceStandingHold, ReleaseStandingHold
from shared.keyfiles import KeyFiles
from shared.machine.decision import Message
from shared.machine.parts import Result
from shared.machine.ports import Transaction
from shared.machine.storage import PostgresTransaction
from shared.privacy.holds import hold_hashes
from shared.tasks.ports import Bound
from shared.tasks.work import Claimed

LOCK = 0x4841_4245
_ALONE = "SELECT pg_advisory_xact_lock($1)"
_AMONG_CALLS = "SELECT pg_advisory_xact_lock_shared($1)"

_PLACE = """
INSERT INTO holds (hold_id, scope, business, name, hashes, actor, reason, evidence, placed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING"""

# Whom it was on is forgotten with it; that it was, and why, stays.
_RELEASE = """
UPDATE holds SET released_at = $2, released_by = $3, released_because = $4, release_evidence = $5, hashes = '{}'
WHERE hold_id = $1 AND released_at IS NULL"""

# Everything that waits to destroy is looked at now; what waits for something else goes on waiting.
_HURRY = """
UPDATE tasks SET run_at = $1, hurried = state IN ('claimed', 'calling')
WHERE state IN ('queued', 'ambiguous', 'claimed', 'calling') AND run_at > $1 AND purpose = 'act'
  AND body::jsonb ->> 'right' = ANY($2::text[])"""

_IN_FORCE = """
SELECT scope, business, name, hashes FROM holds
WHERE released_at IS NULL AND (scope <> 'person' OR hashes && $1::text[])"""

_ALL = "SELECT * FROM holds WHERE $1 OR released_at IS NULL ORDER BY placed_at, hold_id"


class Known(Protocol):
    """By which keyed hashes a person may be on hold."""

    def hashes(self, business: str, subjects: Iterable[Subject]) -> tuple[str, ...]:
        """All that these subjects are known by, under every version of the key."""
        ...


class KnownBy:
    """Makes them from what a person is known by; the values end here."""

    def __init__(self, keys: KeyFiles) -> None:
        self._keys = keys

    def hashes(self, business: str, subjects: Iterable[Subject]) -> tuple[str, ...]:
        """All that these subjects are known by, under every version of the key."""
        keyring = self._keys.lookup()
        seeds = {(kind, str(value)) for subject in subjects for kind, value in subject.seeds.items()}
        return tuple(one for seed in sorted(seeds) for one in hold_hashes(keyring, business, *seed))


async def taken(transaction: Transaction, results: Sequence[Result]) -> None:
    """Write down the standing holds that a batch placed and released."""
    for result in results:
        message = result.message
        if not isinstance(message, Message) or result.status != "applied":
            continue
        connection = cast("PostgresTransaction", transaction)
        if isinstance(message.body, PlaceStandingHold) and _is(result, "placed"):
            await _placed(connection.connection, message, message.body)
        elif isinstance(message.body, ReleaseStandingHold):
            await _released(connection.connection, message, message.body)


def _is(result: Result, word: str) -> bool:
    return isinstance(result.case, FulfillmentCase) and result.case.standing == word


async def _placed(connection: asyncpg.Connection, message: Message, body: PlaceStandingHold) -> None:
    await connection.execute(_ALONE, LOCK)
    who = (body.actor, body.reason, body.evidence, message.at)
    what = (body.scope, body.business, body.name, list(body.hashes))
    await connection.execute(_PLACE, message.request_id, *what, *who)


async def _released(connection: asyncpg.Connection, message: Message, body: ReleaseStandingHold) -> None:
    who = (message.at, body.actor, body.reason, body.evidence)
    await connection.execute(_RELEASE, message.request_id, *who)
    await connection.execute(_HURRY, message.at, sorted(DESTRUCTIVE))


async def standing(
    connection: asyncpg.Connection, asked: Sequence[tuple[Claimed, Bound]]
) -> Mapping[UUID, tuple[StandingHold, ...]]:
    """The holds that may keep what each of these tasks would destroy; others are not asked about."""
    destroying = [(task, set(bound.about)) for task, bound in asked if task.body.get("right") in DESTRUCTIVE]
    if not destroying:
        return {}
    await connection.execute(_AMONG_CALLS, LOCK)
    rows = await connection.fetch(_IN_FORCE, sorted({one for _, about in destroying for one in about}))
    return {task.task_id: tuple(_against(rows, about)) for task, about in destroying}


def _against(rows: Sequence[Any], about: set[str]) -> Iterable[StandingHold]:
    for row in rows:
        if row["scope"] != "person" or not about.isdisjoint(row["hashes"]):
            yield StandingHold(row["scope"], row["business"], row["name"])


@dataclass(frozen=True, slots=True)
class Listed:
    """A standing hold as people see it: of a person only that it is one."""

    hold_id: UUID
    scope: str
    business: str
    name: str | None
    actor: str
    reason: str
    evidence: str | None
    placed_at: datetime
    released_at: datetime | None
    released_by: str | None
    released_because: str | None
    release_evidence: str | None


class HoldRegister:
    """Reads the standing holds; every statement stands alone."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def listed(self, *, released: bool) -> list[Listed]:
        """Those in force, or all that ever were; the oldest first."""
        rows = await self._pool.fetch(_ALL, released)
        return [Listed(**{name: row[name] for name in Listed.__slots__}) for row in rows]

    async def against(self, hashes: Sequence[str]) -> tuple[StandingHold, ...]:
        """What stands against destroying something of whoever has one of these hashes."""
        return tuple(_against(await self._pool.fetch(_IN_FORCE, list(hashes)), set(hashes)))
