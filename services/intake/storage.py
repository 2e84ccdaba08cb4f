"""Reading intake's own tables outside of the shell: one case, what was kept sealed, and a list for staff."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.intake.domain import IntakeCase
from shared.machine.decision import Kept

_CASE = "SELECT body FROM cases WHERE request_id = $1"
_KEPT = "SELECT name, message_id, field, sealed FROM kept WHERE request_id = $1 AND name = ANY($2)"
# Ids made by uuid5 have no order in time: the list is by receipt, which lies in the body.
_LIST = """
SELECT request_id, body FROM cases
WHERE body IS NOT NULL AND body::jsonb ? 'received_at'
ORDER BY (body::jsonb ->> 'received_at')::timestamptz DESC, request_id
LIMIT $1"""


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

    async def case(self, request_id: UUID) -> IntakeCase | None:
        """The request's case, if there is one."""
        body = await self._pool.fetchval(_CASE, request_id)
        return IntakeCase.model_validate_json(body) if body else None

    async def kept(self, request_id: UUID, names: Sequence[str]) -> dict[str, Kept]:
        """The sealed fields remembered under these names, as far as there are any."""
        rows = await self._pool.fetch(_KEPT, request_id, list(names))
        return {
            row["name"]: Kept(row["name"], row["message_id"], row["field"], row["sealed"]) for row in rows
        }

    async def latest(self, limit: int) -> list[Listed]:
        """The requests received last."""
        listed = []
        for row in await self._pool.fetch(_LIST, limit):
            case = IntakeCase.model_validate_json(row["body"])
            if case.received_at is not None:
                listed.append(Listed(row["request_id"], case.received_at, case))
        return listed
