"""Certificates in PostgreSQL, in the service's own schema."""

from uuid import UUID

import asyncpg

from services.deadline.ports import StoredCertificate

# A certificate is made of what was known at closing: the first one stands.
_ADD = """
INSERT INTO certificates (request_id, payload_sha256, jws, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (request_id) DO NOTHING"""
_FIND = "SELECT request_id, payload_sha256, jws, created_at FROM certificates WHERE request_id = $1"


class PostgresCertificates:
    """The table `certificates` of deploy/migrations/deadline.sql."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def add(self, certificate: StoredCertificate) -> None:
        """Keep a certificate; one that is there already stays as it is."""
        await self._pool.execute(
            _ADD, certificate.request_id, certificate.payload_sha256, certificate.jws, certificate.created_at
        )

    async def find(self, request_id: UUID) -> StoredCertificate | None:
        """The certificate of a request, if it was made."""
        row = await self._pool.fetchrow(_FIND, request_id)
        return StoredCertificate(**dict(row)) if row else None
