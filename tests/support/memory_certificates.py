"""Certificates and addenda without a database: proven equal to the real tables by tests/contracts/deadline."""

from collections.abc import Sequence
from uuid import UUID

from services.deadline.ports import StoredAddendum, StoredCertificate


class MemoryCertificates:
    """A Certificates and Addenda in dictionaries."""

    def __init__(self) -> None:
        self.rows: dict[UUID, StoredCertificate] = {}
        self.addenda: dict[tuple[UUID, UUID], StoredAddendum] = {}

    async def add(self, certificate: StoredCertificate) -> None:
        self.rows.setdefault(certificate.request_id, certificate)

    async def find(self, request_id: UUID) -> StoredCertificate | None:
        return self.rows.get(request_id)

    async def add_addendum(self, addendum: StoredAddendum) -> None:
        self.addenda.setdefault((addendum.request_id, addendum.event_id), addendum)

    async def addenda_of(self, request_id: UUID) -> Sequence[StoredAddendum]:
        found = [one for one in self.addenda.values() if one.request_id == request_id]
        return sorted(found, key=lambda one: (one.created_at, one.event_id))
