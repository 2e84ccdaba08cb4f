"""Reading intake's own tables outside of the shell: one case, what was kept sealed, and a list for staff."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.intake.domain import IntakeCase, Letter
from shared.gathering import Gathering
from shared.machine.decision import Kept

_CASE = "SELECT body FROM cases WHERE request_id = $1"
_KEPT = "SELECT request_id, name, message_id, field, sealed FROM kept WHERE request_id = ANY($1::uuid[])"
# Ids made by uuid5 have no order in time: the list is by receipt, which lies in the body.
_LIST = """
SELECT request_id, body FROM cases
WHERE body IS NOT NULL AND body::jsonb ? 'received_at'
ORDER BY (body::jsonb ->> 'received_at')::timestamptz DESC, request_id
LIMIT $1"""

_FAILED = """
SELECT request_id, body FROM cases
WHERE body IS NOT NULL AND body::jsonb @? '$.notices.*.state ? (@ == "failed")' ORDER BY request_id"""
_PLANNED = "SELECT body FROM tasks WHERE request_id = $1 AND key = $2"

MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Listed:
    """One request in the staff's list: no identity."""

    request_id: UUID
    received_at: datetime
    case: IntakeCase


class IntakeTables:
    """Intake's schema through a pool or one connection."""

    def __init__(self, pool: "asyncpg.Pool | asyncpg.Connection") -> None:
        self._pool = pool
        self._kept: Gathering[UUID, dict[str, Kept]] = Gathering(self._kept_of_all, most=MOST_AT_ONCE)

    async def case(self, request_id: UUID) -> IntakeCase | None:
        """The request's case, if there is one."""
        body = await self._pool.fetchval(_CASE, request_id)
        return IntakeCase.model_validate_json(body) if body else None

    async def kept(self, request_id: UUID, names: Sequence[str]) -> dict[str, Kept]:
        """The sealed fields remembered under these names, as far as there are any."""
        found = await self._kept.submit(request_id)
        return {name: kept for name, kept in found.items() if name in names}

    async def latest(self, limit: int) -> list[Listed]:
        """The requests received last."""
        listed = []
        for row in await self._pool.fetch(_LIST, limit):
            case = IntakeCase.model_validate_json(row["body"])
            if case.received_at is not None:
                listed.append(Listed(row["request_id"], case.received_at, case))
        return listed

    async def with_failed_notices(self) -> list[tuple[UUID, IntakeCase]]:
        """The requests with a notice that no mail could take."""
        rows = await self._pool.fetch(_FAILED)
        return [(row["request_id"], IntakeCase.model_validate_json(row["body"])) for row in rows]

    async def planned(self, request_id: UUID, key: str) -> Letter | None:
        """What a notice was to say, as it was planned."""
        body = await self._pool.fetchval(_PLANNED, request_id, key)
        return Letter.model_validate_json(body) if body else None

    async def _kept_of_all(self, request_ids: Sequence[UUID]) -> Sequence[dict[str, Kept]]:
        """One look for all notices that are written at once."""
        found: dict[UUID, dict[str, Kept]] = {request_id: {} for request_id in request_ids}
        for row in await self._pool.fetch(_KEPT, list(found)):
            kept = Kept(row["name"], row["message_id"], row["field"], row["sealed"])
            found[row["request_id"]][kept.name] = kept
        return [found[request_id] for request_id in request_ids]
