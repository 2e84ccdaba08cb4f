"""Who must stay deleted, is opted out or is limited: rows by keyed hash, and what is said of them on their topic.

A person may be suppressed on several grounds, each a right and the request that asked for it; all of them stand in
one row, which the transaction locks, so that what its record says is what holds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import asyncpg
from pydantic_core import from_json, to_json

from services.fulfillment.domain.aftercare import SUPPRESS, Suppression
from shared.machine.decision import Message, TaskFinished
from shared.machine.ports import Transaction
from shared.machine.storage import PostgresTransaction
from shared.policy.rights import Right

_RIGHTS = (
    "(SELECT coalesce(string_agg(DISTINCT split_part(k, '/', 1), ' '), '') FROM jsonb_object_keys({}) k)"
)

_ADD = f"""
INSERT INTO suppressed AS s (hash, rights, business, grounds, since, version)
SELECT u.hash, {_RIGHTS.format("u.ground::jsonb")}, u.business, u.ground::jsonb, u.at, nextval('suppressed_version')
FROM unnest($1::bytea[], $2::text[], $3::text[], $4::timestamptz[]) AS u(hash, business, ground, at) ORDER BY u.hash
ON CONFLICT (hash) DO UPDATE SET rights = {_RIGHTS.format("s.grounds || excluded.grounds")},
  grounds = s.grounds || excluded.grounds, since = excluded.since, version = excluded.version
RETURNING hash, rights, business, since, version"""  # noqa: S608 - words of ours only

_LEFT = "s.grounds - ARRAY(SELECT k FROM jsonb_object_keys(s.grounds) k WHERE k LIKE $2)"
_LIFT = f"""
UPDATE suppressed s SET version = nextval('suppressed_version'), since = $3, grounds = {_LEFT},
  rights = {_RIGHTS.format(_LEFT)}
WHERE s.hash = ANY($1::bytea[]) AND EXISTS (SELECT FROM jsonb_object_keys(s.grounds) k WHERE k LIKE $2)
RETURNING hash, rights, business, since, version"""  # noqa: S608 - words of ours only

_FORGET = "DELETE FROM suppressed WHERE hash = ANY($1::bytea[]) AND grounds = '{}'"

# Asked in the order of the index, which then is gone through once.
_CHECK = "SELECT hash, rights FROM suppressed WHERE hash = ANY($1::bytea[])"
_GROUNDS = "SELECT hash, grounds FROM suppressed WHERE hash = ANY($1::bytea[])"
_VERSIONS = "SELECT DISTINCT substr(hash, 1, 2) AS version FROM suppressed"


async def suppressions(
    transaction: Transaction, messages: Sequence[Message]
) -> dict[UUID, tuple[Suppression, ...]]:
    """For each suppress task that ended: what holds now of every hash that it named."""
    found: dict[UUID, tuple[Suppression, ...]] = {}
    for group in _groups(messages):
        connection = cast("PostgresTransaction", transaction).connection
        take = _lifted if group[0].lifts else _added
        rows = {row["hash"]: _suppression(row) for row in await take(connection, group)}
        found |= {one.request_id: tuple(rows[key] for key in one.keys if key in rows) for one in group}
    return found


@dataclass(frozen=True, slots=True)
class _Stated:
    """What one ended task said: hashes, and the ground that they are suppressed on or released from."""

    request_id: UUID
    keys: tuple[bytes, ...]
    business: str
    ground: str
    at: datetime
    lifts: bool


def _groups(messages: Sequence[Message]) -> list[list[_Stated]]:
    """What can be written in one statement, in order: additions no two of which touch the same row."""
    groups: list[list[_Stated]] = []
    touched: set[bytes] = set()
    for one in map(_stated, filter(_states, messages)):
        apart = one.lifts or not groups or groups[-1][0].lifts or not touched.isdisjoint(one.keys)
        if apart:
            groups.append([])
            touched = set()
        groups[-1].append(one)
        touched.update(one.keys)
    return groups


def _states(message: Message) -> bool:
    body = message.body
    return isinstance(body, TaskFinished) and body.handler == SUPPRESS and body.status == "done"


def _stated(message: Message) -> _Stated:
    said: dict[str, Any] = cast("TaskFinished", message.body).result
    keys, right = tuple(sorted({key_of(one) for one in said["hashes"]})), Right(said["right"])
    lifts = right is Right.OPT_IN or said["lift"]
    if not lifts:
        # What came to be known of the person after that is not what they wanted deleted.
        ground = to_json({f"{right}/{message.request_id}": said["cut_off"]}).decode()
    else:
        # Who opts in again takes back every opt-out of theirs; a lifted request takes back its own word only.
        ground = "opt_out/%" if right is Right.OPT_IN else f"{right}/{message.request_id}"
    return _Stated(message.request_id, keys, said["business"], ground, message.at, lifts)


async def _added(connection: asyncpg.Connection, group: Sequence[_Stated]) -> list[asyncpg.Record]:
    rows = [(key, one.business, one.ground, one.at) for one in group for key in one.keys]
    return list(await connection.fetch(_ADD, *map(list, zip(*rows, strict=True)))) if rows else []


async def _lifted(connection: asyncpg.Connection, group: Sequence[_Stated]) -> list[asyncpg.Record]:
    [one] = group
    rows = await connection.fetch(_LIFT, list(one.keys), one.ground, one.at)
    await connection.execute(_FORGET, list(one.keys))
    return list(rows)


def key_of(hashed: str) -> bytes:
    """`<key version>:<hex>` as the table holds it."""
    version, _, digest = hashed.partition(":")
    return int(version).to_bytes(2, "big") + bytes.fromhex(digest)


def hash_of(key: bytes) -> str:
    """The same as everybody else writes it."""
    return f"{int.from_bytes(key[:2], 'big')}:{key[2:].hex()}"


def _suppression(row: asyncpg.Record) -> Suppression:
    rights = tuple(map(Right, sorted(row["rights"].split())))
    return Suppression(hash_of(row["hash"]), row["business"], rights, row["since"], row["version"])


class SuppressionRegister:
    """Answers whether hashes are suppressed; every statement stands alone."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def check(self, hashes: Sequence[str]) -> dict[str, list[str]]:
        """The rights that hold of each hash that is suppressed; the others are left out."""
        rows = await self._pool.fetch(_CHECK, sorted(map(key_of, hashes)))
        return {hash_of(row["hash"]): row["rights"].split() for row in rows}

    async def requests_of(
        self, hashes: Sequence[str], right: Right
    ) -> dict[str, list[tuple[UUID, datetime]]]:
        """The requests that suppressed these hashes under a right, each with its cut-off."""
        rows = await self._pool.fetch(_GROUNDS, sorted(map(key_of, hashes)))
        found = {hash_of(row["hash"]): list(_asked(row["grounds"], right)) for row in rows}
        return {hashed: asked for hashed, asked in found.items() if asked}

    async def versions(self) -> list[str]:
        """The versions of the key that suppressed hashes were made with."""
        found = {int.from_bytes(row["version"], "big") for row in await self._pool.fetch(_VERSIONS)}
        return [str(version) for version in sorted(found)]


def _asked(grounds: str, right: Right) -> Iterator[tuple[UUID, datetime]]:
    for ground, at in from_json(grounds).items():
        name, _, request_id = ground.partition("/")
        if name == right:
            yield UUID(request_id), datetime.fromisoformat(at)
