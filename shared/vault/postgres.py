"""The vault's database, called through its functions: nobody may select from its tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from shared.vault.ports import StoredKey, WrappedKey


class PostgresKeys:
    """A KeyStore and KeyKeeper; what of it works is decided by the role that the pool logs in as."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def create(self, keys: Sequence[tuple[UUID, WrappedKey]]) -> Sequence[StoredKey]:
        rows = await self._pool.fetch(
            "SELECT * FROM vault.create_keys($1, $2, $3)",
            [request_id for request_id, _ in keys],
            [wrapped.blob for _, wrapped in keys],
            [wrapped.version for _, wrapped in keys],
        )
        return _stored(rows)

    async def create_month(self, month: str, wrapped: WrappedKey) -> StoredKey:
        query = "SELECT * FROM vault.create_month_key($1, $2, $3)"
        return _stored(await self._pool.fetch(query, month, wrapped.blob, wrapped.version))[0]

    async def open(self, request_ids: Sequence[UUID]) -> Sequence[StoredKey]:
        return _stored(await self._pool.fetch("SELECT * FROM vault.open_keys($1)", list(request_ids)))

    async def destroy(self, request_ids: Sequence[UUID], reason: str) -> None:
        await self._pool.execute("SELECT vault.destroy_keys($1, $2)", list(request_ids), reason)

    async def stale(self, version: str, after: UUID, limit: int) -> Sequence[StoredKey]:
        query = "SELECT * FROM vault.stale_keys($1, $2, $3)"
        return _stored(await self._pool.fetch(query, version, after, limit))

    async def replace(self, request_id: UUID, old: WrappedKey, new: WrappedKey) -> bool:
        query = "SELECT vault.rewrap_key($1, $2, $3, $4)"
        done: bool = await self._pool.fetchval(query, request_id, old.blob, new.blob, new.version)
        return done


def _stored(rows: Iterable[Mapping[str, Any]]) -> list[StoredKey]:
    return [StoredKey(UUID(int=row["request_id"].int), _wrapped(row)) for row in rows]


def _wrapped(row: Mapping[str, Any]) -> WrappedKey | None:
    blob = row["wrapped"]
    return None if blob is None else WrappedKey(blob, row["kek_version"])
