"""The table of very many frozen ids, sealed: written before a call, read by every later attempt, and swept up."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import asyncpg

from shared.vault.errors import KeyDestroyed, VaultError
from shared.vault.vault import Vault

_KEEP = "INSERT INTO frozen_keys (frozen_id, number, request_id, sealed) VALUES ($1, $2, $3, $4)"
_PIECE = "SELECT sealed FROM frozen_keys WHERE frozen_id = $1 AND number = $2"
_FIRSTS = "SELECT frozen_id, request_id FROM frozen_keys WHERE number = 1"
_NAMED_BY_NONE = """
SELECT frozen_id FROM frozen_keys k WHERE number = 1 AND noted_at < clock_timestamp() - interval '1 day'
  AND NOT EXISTS (SELECT FROM tasks t WHERE t.request_id = k.request_id AND t.frozen_id = k.frozen_id)"""
_FORGET = "DELETE FROM frozen_keys WHERE frozen_id = ANY($1::uuid[])"


class FrozenKeys:
    """One row for each piece; every statement stands alone."""

    def __init__(self, pool: asyncpg.Pool, vault: Vault) -> None:
        self._pool = pool
        self._vault = vault

    async def keep(self, request_id: UUID, frozen_id: UUID, number: int, sealed: str) -> None:
        """One more piece; it counts for nothing until a task's row names its `frozen_id`."""
        await self._pool.execute(_KEEP, frozen_id, number, request_id, sealed)

    async def piece(self, frozen_id: UUID, number: int) -> str | None:
        """One piece, or None where it is not there."""
        found: str | None = await self._pool.fetchval(_PIECE, frozen_id, number)
        return found

    async def forget(self, now: datetime) -> None:
        """Remove what nobody can open any more, and what an attempt left that never came to call."""
        del now
        requests = {row["frozen_id"]: row["request_id"] for row in await self._pool.fetch(_FIRSTS)}
        if requests:
            unnamed = {row["frozen_id"] for row in await self._pool.fetch(_NAMED_BY_NONE)}
            await self._pool.execute(_FORGET, list(unnamed | await self._closed(requests)))

    async def _closed(self, requests: Mapping[UUID, UUID]) -> set[UUID]:
        await self._vault.prefetch(sorted(set(requests.values())))
        return {frozen_id for frozen_id, request_id in requests.items() if self._is_destroyed(request_id)}

    def _is_destroyed(self, request_id: UUID) -> bool:
        try:
            self._vault.seal(request_id, request_id, "probe", b"")
        except KeyDestroyed:
            return True
        except VaultError:
            return False
        return False
