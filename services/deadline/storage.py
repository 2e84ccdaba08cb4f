"""Certificates in PostgreSQL, in the service's own schema."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.deadline.ports import StoredAddendum, StoredCertificate
from shared.gathering import Gathering

# A certificate is made of what was known at closing: the first one stands.
_ADD = """
INSERT INTO certificates (request_id, payload_sha256, jws, created_at)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])
ON CONFLICT (request_id) DO NOTHING"""
_FIND = "SELECT request_id, payload_sha256, jws, created_at FROM certificates WHERE request_id = $1"

_ADD_ADDENDUM = """
INSERT INTO addenda (request_id, event_id, payload_sha256, jws, created_at)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"""
_ADDENDA = """
SELECT request_id, event_id, payload_sha256, jws, created_at FROM addenda WHERE request_id = $1
ORDER BY created_at, event_id"""

MOST_AT_ONCE = 200


class PostgresCertificates:
    """The table `certificates` of deploy/migrations/deadline.sql."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._adding: Gathering[StoredCertificate, None] = Gathering(self._add_all, most=MOST_AT_ONCE)

    async def add(self, certificate: StoredCertificate) -> None:
        """Keep a certificate; one that is there already stays as it is."""
        await self._adding.submit(certificate)

    async def find(self, request_id: UUID) -> StoredCertificate | None:
        """The certificate of a request, if it was made."""
        row = await self._pool.fetchrow(_FIND, request_id)
        return StoredCertificate(**dict(row)) if row else None

    async def add_addendum(self, addendum: StoredAddendum) -> None:
        """Keep an addendum; there are few, so each goes by itself."""
        one = addendum
        await self._pool.execute(
            _ADD_ADDENDUM, one.request_id, one.event_id, one.payload_sha256, one.jws, one.created_at
        )

    async def addenda_of(self, request_id: UUID) -> Sequence[StoredAddendum]:
        """The addenda to a request's certificate."""
        return [StoredAddendum(**dict(row)) for row in await self._pool.fetch(_ADDENDA, request_id)]

    async def _add_all(self, certificates: Sequence[StoredCertificate]) -> Sequence[None]:
        rows = [(one.request_id, one.payload_sha256, one.jws, one.created_at) for one in certificates]
        await self._pool.execute(_ADD, *(list(column) for column in zip(*rows, strict=True)))
        return [None] * len(certificates)
