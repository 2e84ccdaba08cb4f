"""Who must stay deleted, is opted out or is limited: rows by keyed hash, and what is said of them on their topic.

A person may be suppressed on several grounds, each a right and the request that asked for it; all of them stand in
one row, which the transaction locks, so that what its record says is what holds.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

import asyncpg
from pydantic_core import from_json, to_json

from services.fulfillment.domain.aftercare import SUPPRESS, Suppression
from shared.events.deadline import RequestClosed
from shared.machine.decision import Message, TaskFinished
from shared.machine.ports import Transaction
from shared.machine.storage import PostgresTransaction
from shared.policy.rights import Right

_RIGHTS = (
    "(SELECT coalesce(string_agg(DISTINCT split_part(k, '/', 1), ' '), '') FROM jsonb_object_keys({}) k)"
)

_LATEST = "(SELECT max(day)::date FROM jsonb_each_text({}) AS w(ground, day))"
_SAID = "hash, rights, business, since, version, ask_again_from"

# The day that the closing told stays, whatever a replay says again.
_WAITS = "excluded.waits || s.waits"
_ADD = f"""
INSERT INTO suppressed AS s (hash, rights, business, grounds, since, waits, ask_again_from, version)
SELECT u.hash, {_RIGHTS.format("u.ground::jsonb")}, u.business, u.ground::jsonb, u.at, u.wait::jsonb,
  {_LATEST.format("u.wait::jsonb")}, nextval('suppressed_version')
FROM unnest($1::bytea[], $2::text[], $3::text[], $4::timestamptz[], $5::text[]) AS u(hash, business, ground, at, wait)
ORDER BY u.hash
ON CONFLICT (hash) DO UPDATE SET rights = {_RIGHTS.format("s.grounds || excluded.grounds")},
  grounds = s.grounds || excluded.grounds, since = excluded.since, version = excluded.version,
  waits = {_WAITS}, ask_again_from = {_LATEST.format(_WAITS)}
RETURNING {_SAID}"""  # noqa: S608 - words of ours only

_LEFT = "{0} - ARRAY(SELECT k FROM jsonb_object_keys({0}) k WHERE k LIKE $2)"
_LEFT_GROUNDS, _LEFT_WAITS = _LEFT.format("s.grounds"), _LEFT.format("s.waits")
_LIFT = f"""
WITH before AS (
  SELECT hash,
    (SELECT max(day)::date FROM jsonb_each_text(waits) AS w(ground, day) WHERE ground LIKE $2) AS waited_until
  FROM suppressed WHERE hash = ANY($1::bytea[]) FOR UPDATE)
UPDATE suppressed s SET version = nextval('suppressed_version'), since = $3, grounds = {_LEFT_GROUNDS},
  rights = {_RIGHTS.format(_LEFT_GROUNDS)}, waits = {_LEFT_WAITS}, ask_again_from = {_LATEST.format(_LEFT_WAITS)}
FROM before
WHERE s.hash = before.hash AND EXISTS (SELECT FROM jsonb_object_keys(s.grounds) k WHERE k LIKE $2)
RETURNING s.hash, s.rights, s.business, s.since, s.version, s.ask_again_from, before.waited_until"""  # noqa: S608 - words of ours only

# What was released meanwhile waits for nothing any more.
_WAIT = f"""
UPDATE suppressed s SET version = nextval('suppressed_version'), waits = s.waits || u.wait::jsonb,
  ask_again_from = {_LATEST.format("s.waits || u.wait::jsonb")}
FROM unnest($1::bytea[], $2::text[], $3::text[]) AS u(hash, ground, wait)
WHERE s.hash = u.hash AND s.grounds ? u.ground AND NOT s.waits @> u.wait::jsonb
RETURNING s.hash, s.rights, s.business, s.since, s.version, s.ask_again_from"""  # noqa: S608 - words of ours only

_STATED = """
SELECT request_id, result::jsonb -> 'result' AS said FROM tasks
WHERE request_id = ANY($1::uuid[]) AND key = $2 AND result IS NOT NULL"""

_FORGET = "DELETE FROM suppressed WHERE hash = ANY($1::bytea[]) AND grounds = '{}'"

# Asked in the order of the index, which then is gone through once.
_CHECK = "SELECT hash, rights, ask_again_from FROM suppressed WHERE hash = ANY($1::bytea[])"
_GROUNDS = "SELECT hash, grounds FROM suppressed WHERE hash = ANY($1::bytea[])"
_VERSIONS = "SELECT DISTINCT substr(hash, 1, 2) AS version FROM suppressed"


async def suppressions(
    transaction: Transaction, messages: Sequence[Message]
) -> dict[UUID, tuple[Suppression, ...]]:
    """For each suppress task that ended, and each closing that tells a wait: what holds now of every hash of it."""
    found: dict[UUID, tuple[Suppression, ...]] = {}
    stated = list(map(_stated, filter(_states, messages)))
    closed = {each.request_id: day for each in messages if (day := _waits_until(each)) is not None}
    if not stated and not closed:
        return found
    connection = cast("PostgresTransaction", transaction).connection
    for group in _groups(stated):
        found |= await _taken(connection, group, _lifted if group[0].lifts else _added)
    for group in _groups(await _closings(connection, closed) if closed else ()):
        found |= await _taken(connection, group, _waiting)
    return found


@dataclass(frozen=True, slots=True)
class _Stated:
    """What one request said: hashes, the ground that they are suppressed on or released from, and its wait."""

    request_id: UUID
    keys: tuple[bytes, ...]
    business: str
    ground: str
    at: datetime | None = None
    cut_off: str = ""
    wait: str | None = None
    lifts: bool = False

    @property
    def since(self) -> str:
        return to_json({self.ground: self.cut_off}).decode()

    @property
    def waits(self) -> str:
        return to_json({self.ground: self.wait} if self.wait else {}).decode()


_Take = Callable[[asyncpg.Connection, Sequence[_Stated]], Awaitable[Sequence[asyncpg.Record]]]


async def _taken(
    connection: asyncpg.Connection, group: Sequence[_Stated], take: _Take
) -> dict[UUID, tuple[Suppression, ...]]:
    rows = {row["hash"]: suppression_of(row) for row in await take(connection, group)}
    return {one.request_id: tuple(rows[key] for key in one.keys if key in rows) for one in group}


def _groups(stated: Iterable[_Stated]) -> list[list[_Stated]]:
    """What can be written in one statement, in order: additions no two of which touch the same row."""
    groups: list[list[_Stated]] = []
    touched: set[bytes] = set()
    for one in stated:
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


def _waits_until(message: Message) -> date | None:
    return message.body.ask_again_from if isinstance(message.body, RequestClosed) else None


def _stated(message: Message) -> _Stated:
    said: dict[str, Any] = cast("TaskFinished", message.body).result
    right = Right(said["right"])
    lifts = right is Right.OPT_IN or said["lift"]
    # Who opts in again takes back every opt-out of theirs; a lifted request takes back its own word only.
    ground = "opt_out/%" if right is Right.OPT_IN else f"{right}/{message.request_id}"
    return _Stated(
        request_id=message.request_id,
        keys=_keys(said),
        business=said["business"],
        ground=ground,
        at=message.at,
        # What came to be known of the person after that is not what they wanted deleted.
        cut_off=said["cut_off"],
        wait=said.get("ask_again_from"),
        lifts=lifts,
    )


def _keys(said: Mapping[str, Any]) -> tuple[bytes, ...]:
    return tuple(sorted({key_of(one) for one in said["hashes"]}))


async def _closings(connection: asyncpg.Connection, closed: Mapping[UUID, date]) -> list[_Stated]:
    """Each closed request again, with what its suppress task stated and the day that its answer began."""
    rows = await connection.fetch(_STATED, list(closed), SUPPRESS)
    told = {row["request_id"]: from_json(row["said"]) for row in rows}
    return [
        _Stated(
            request_id,
            _keys(said),
            said["business"],
            f"{said['right']}/{request_id}",
            wait=closed[request_id].isoformat(),
        )
        for request_id, said in told.items()
    ]


async def _added(connection: asyncpg.Connection, group: Sequence[_Stated]) -> Sequence[asyncpg.Record]:
    rows = [(key, one.business, one.since, one.at, one.waits) for one in group for key in one.keys]
    return await connection.fetch(_ADD, *map(list, zip(*rows, strict=True))) if rows else []


async def _lifted(connection: asyncpg.Connection, group: Sequence[_Stated]) -> Sequence[asyncpg.Record]:
    [one] = group
    rows = await connection.fetch(_LIFT, list(one.keys), one.ground, one.at)
    await connection.execute(_FORGET, list(one.keys))
    return list(rows)


async def _waiting(connection: asyncpg.Connection, group: Sequence[_Stated]) -> Sequence[asyncpg.Record]:
    rows = [(key, one.ground, one.waits) for one in group for key in one.keys]
    return await connection.fetch(_WAIT, *map(list, zip(*rows, strict=True))) if rows else []


def key_of(hashed: str) -> bytes:
    """`<key version>:<hex>` as the table holds it."""
    version, _, digest = hashed.partition(":")
    return int(version).to_bytes(2, "big") + bytes.fromhex(digest)


def hash_of(key: bytes) -> str:
    """The same as everybody else writes it."""
    return f"{int.from_bytes(key[:2], 'big')}:{key[2:].hex()}"


def suppression_of(row: asyncpg.Record) -> Suppression:
    """What a row says of its hash."""
    rights = tuple(map(Right, sorted(row["rights"].split())))
    return Suppression(
        hash=hash_of(row["hash"]),
        business=row["business"],
        rights=rights,
        since=row["since"],
        version=row["version"],
        ask_again_from=row["ask_again_from"],
        waited_until=row.get("waited_until"),
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """The rights that hold of each hash, and from when whoever has it may be asked to opt in again."""

    rights: dict[str, list[str]]
    ask_again_from: dict[str, date]


class SuppressionRegister:
    """Answers whether hashes are suppressed; every statement stands alone."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def check(self, hashes: Sequence[str]) -> Checked:
        """What holds of each hash that is suppressed; the others are left out."""
        rows = await self._pool.fetch(_CHECK, sorted(map(key_of, hashes)))
        named = [(hash_of(row["hash"]), row) for row in rows]
        return Checked(
            rights={hashed: row["rights"].split() for hashed, row in named},
            ask_again_from={hashed: day for hashed, row in named if (day := row["ask_again_from"])},
        )

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
