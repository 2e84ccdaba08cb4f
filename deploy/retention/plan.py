"""The plan: for each closed request whose key is there, until when it is needed, and whether a hold keeps it."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

import asyncpg

from services.deadline.domain import DeadlineCase
from shared.canonical import sha256_hex

FORMAT: Final = "habeas-retention-plan/1"
AT_ONCE: Final = 2_000
State = Literal["due", "held", "later", "being_destroyed", "destroyed"]
_CLOSED: Final = "SELECT request_id, body FROM deadline.cases WHERE closed_at IS NOT NULL ORDER BY request_id"
# A case says nothing of holds that it never had.
_HELD: Final = "SELECT request_id, body FROM deadline.cases WHERE body::jsonb ? 'holds' ORDER BY request_id"
_OF_THESE: Final = "SELECT request_id, body FROM deadline.cases WHERE request_id = ANY ($1)"


class PlanRefused(Exception):
    """A file that is no plan; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One closed request and what is to become of its key."""

    request_id: UUID
    business: str
    regime: str
    resolution: str
    closed_at: datetime
    key_until: datetime
    state: State

    def line(self) -> str:
        """As it stands in the plan's file."""
        return json.dumps(asdict(self), default=_text)

    @classmethod
    def of_line(cls, text: str) -> "Planned":
        told = json.loads(text)
        times = {name: datetime.fromisoformat(told[name]) for name in ("closed_at", "key_until")}
        return cls(**{**told, **times, "request_id": UUID(told["request_id"])})


class Summary:
    """How many keys of each regime and resolution are in which state."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], Counter[State]] = {}

    def add(self, one: Planned) -> None:
        self.counts.setdefault((one.regime, one.resolution), Counter())[one.state] += 1

    def total(self, state: State) -> int:
        return sum(found[state] for found in self.counts.values())

    def to_json(self) -> list[dict[str, Any]]:
        return [
            {"regime": regime, "resolution": resolution, **dict(self.counts[regime, resolution].items())}
            for regime, resolution in sorted(self.counts)
        ]


async def planned(connection: asyncpg.Connection, through: datetime) -> AsyncIterator[Planned]:
    """Every closed request as of one moment; due is what nothing needs any more at `through`."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        async for row in connection.cursor(_CLOSED, prefetch=AT_ONCE):
            if (found := _planned(row, through)) is not None:
                yield found


async def states_now(connection: asyncpg.Connection, ids: list[UUID], now: datetime) -> dict[UUID, State]:
    """What has become of these since."""
    rows = await connection.fetch(_OF_THESE, ids)
    found = (_planned(row, now) for row in rows)
    return {one.request_id: one.state for one in found if one is not None}


@dataclass(frozen=True, slots=True)
class Held:
    """A hold in force, and whether its request still runs."""

    request_id: UUID
    business: str
    hold_id: UUID
    over: bool


async def holds(connection: asyncpg.Connection) -> AsyncIterator[Held]:
    """Every hold in force, by request, as the deadline service has heard of it."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        async for row in connection.cursor(_HELD, prefetch=AT_ONCE):
            case = DeadlineCase.model_validate_json(row["body"])
            business = case.received.business if case.received else ""
            for one in sorted(set(case.holds) - set(case.released)):
                yield Held(row["request_id"], business, one, case.closing is not None)


def heading(through: datetime) -> str:
    """A plan's first line."""
    return json.dumps({"format": FORMAT, "through": through.isoformat()})


def digest_of(file: Path) -> str:
    """What orders name: the SHA-256 of the plan that somebody read."""
    return sha256_hex(file.read_bytes())


def due_in(file: Path) -> Iterator[Planned]:
    """The requests whose keys the plan says to destroy.

    Raises:
        PlanRefused: the file is no plan.
    """
    try:
        with file.open(encoding="utf-8") as lines:
            if json.loads(next(lines, "null")).get("format") != FORMAT:
                raise PlanRefused(
                    f"{file} is no retention plan; make one with: habeas retention plan --save {file}"
                )
            for text in lines:
                one = Planned.of_line(text)
                if one.state == "due":
                    yield one
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PlanRefused(
            f"{file} is damaged; make it again with: habeas retention plan --save {file}"
        ) from None


def _planned(row: asyncpg.Record, through: datetime) -> Planned | None:
    case = DeadlineCase.model_validate_json(row["body"])
    if case.received is None or case.closing is None or case.ending is None:
        return None
    return Planned(
        request_id=row["request_id"],
        business=case.received.business,
        regime=case.received.regime,
        resolution=case.ending.resolution,
        closed_at=case.closing.closed_at,
        key_until=case.closing.key_until,
        state=_state(case, case.closing.key_until <= through),
    )


def _state(case: DeadlineCase, due: bool) -> State:  # noqa: FBT001 - of this module alone
    if case.key == "destroyed":
        return "destroyed"
    if case.is_held:
        return "held"
    if case.key == "destroying":
        return "being_destroyed"
    return "due" if due else "later"


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
