"""What fulfillment reads and writes in its own schema beside the kernel's tables."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from pydantic_core import from_json

from services.fulfillment.answer_files import package_id_of
from services.fulfillment.domain import Directive, FulfillmentCase
from shared.gathering import Gathering
from shared.machine.decision import Kept

_KEPT = "SELECT request_id, name, message_id, field, sealed FROM kept WHERE request_id = ANY($1::uuid[])"
_RESOLUTION = "SELECT body::jsonb ->> 'resolution' FROM cases WHERE request_id = $1"
_CASE = "SELECT body FROM cases WHERE request_id = $1"
_BOUND = "SELECT frozen, frozen_id FROM tasks WHERE request_id = $1 AND key = $2 AND frozen IS NOT NULL"
_RESULT = "SELECT result FROM tasks WHERE request_id = $1 AND key = $2 AND result IS NOT NULL"
_OF_PARTS = """
SELECT task_id AS file_id, request_id FROM tasks WHERE handler = 'export' AND task_id = ANY($1::uuid[])"""
_OF_PACKAGES = "SELECT task_id, request_id, epoch FROM tasks WHERE handler = 'package'"

# A look that is under way may have been answered a moment before the callback: it comes back soon, if it comes back.
_LOOK_SOON = """
UPDATE tasks SET run_at = $2, hurried = state IN ('claimed', 'calling')
WHERE starts_with(key, $1)
  AND (state IN ('claimed', 'calling') OR state IN ('ambiguous', 'queued') AND run_at > $2)"""

MOST_AT_ONCE = 200
CALLBACKS_COME_TOGETHER = timedelta(seconds=30)


class FulfillmentStore:
    """Reads outside any batch; every statement stands alone."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._kept: Gathering[UUID, Sequence[Kept]] = Gathering(self._of_all, most=MOST_AT_ONCE)

    async def of(self, request_id: UUID) -> Sequence[Kept]:
        """The sealed fields kept for a request: its claims, and the identifiers that were found."""
        return await self._kept.submit(request_id)

    async def resolution_of(self, request_id: UUID) -> str | None:
        """How a request of this service ended, or None."""
        found: Any = await self._pool.fetchval(_RESOLUTION, request_id)
        return None if found is None else str(found)

    async def directive_to(self, request_id: UUID, vendor: str) -> Directive | None:
        """What a vendor was told about a request, if it was."""
        body: str | None = await self._pool.fetchval(_CASE, request_id)
        return None if body is None else FulfillmentCase.model_validate_json(body).directive_to(vendor)

    async def look_soon(self, system: str, now: datetime) -> None:
        """Look at a system's orders that are under way; many callbacks at once are one look."""
        await self._pool.execute(_LOOK_SOON, f"act:{system}:", now + CALLBACKS_COME_TOGETHER)

    async def bound_of(self, request_id: UUID, key: str) -> tuple[str, UUID] | None:
        """The sealed ids that a task's call was bound to, and the id that they are sealed under."""
        row = await self._pool.fetchrow(_BOUND, request_id, key)
        return None if row is None else (row["frozen"], row["frozen_id"])

    async def hashes_of(self, request_id: UUID, key: str) -> tuple[str, ...]:
        """The keyed hashes that a task stated."""
        result: str | None = await self._pool.fetchval(_RESULT, request_id, key)
        return tuple(from_json(result)["result"].get("hashes", ())) if result else ()

    async def requests_of(self, files: Sequence[UUID]) -> dict[UUID, UUID]:
        """The request behind each file of an answer; files that are nobody's are left out."""
        wanted = set(files)
        if not wanted:
            return {}
        parts = await self._pool.fetch(_OF_PARTS, list(wanted))
        found: dict[UUID, UUID] = {row["file_id"]: row["request_id"] for row in parts}
        for row in await self._pool.fetch(_OF_PACKAGES):
            names = (package_id_of(row["task_id"], epoch) for epoch in range(1, row["epoch"] + 1))
            found.update((name, row["request_id"]) for name in names if name in wanted)
        return found

    async def _of_all(self, request_ids: Sequence[UUID]) -> Sequence[Sequence[Kept]]:
        """One look for all tasks that begin at once."""
        found: dict[UUID, list[Kept]] = {request_id: [] for request_id in request_ids}
        for row in await self._pool.fetch(_KEPT, list(found)):
            kept = Kept(row["name"], row["message_id"], row["field"], row["sealed"])
            found[row["request_id"]].append(kept)
        return [found[request_id] for request_id in request_ids]
