"""Certificates without a database: proven equal to the real table by tests/contracts/deadline."""

from uuid import UUID

from services.deadline.ports import StoredCertificate


class MemoryCertificates:
    """A Certificates in a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[UUID, StoredCertificate] = {}

    async def add(self, certificate: StoredCertificate) -> None:
        self.rows.setdefault(certificate.request_id, certificate)

    async def find(self, request_id: UUID) -> StoredCertificate | None:
        return self.rows.get(request_id)
