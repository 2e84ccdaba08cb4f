"""What the deadline service's tasks and pages need from outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """A signed certificate with the digest that RequestClosed carries."""

    request_id: UUID
    payload_sha256: str
    jws: str
    created_at: datetime


class Certificates(Protocol):
    """Where signed certificates lie."""

    async def add(self, certificate: StoredCertificate) -> None:
        """Keep a certificate; one that is there already stays as it is."""
        ...

    async def find(self, request_id: UUID) -> StoredCertificate | None:
        """The certificate of a request, if it was made."""
        ...


@dataclass(frozen=True, slots=True)
class StoredAddendum:
    """A signed addendum, and the finding's event that it is about."""

    request_id: UUID
    event_id: UUID
    payload_sha256: str
    jws: str
    created_at: datetime


class Addenda(Protocol):
    """Where signed addenda lie."""

    async def add_addendum(self, addendum: StoredAddendum) -> None:
        """Keep an addendum; one that is there already stays as it is."""
        ...

    async def addenda_of(self, request_id: UUID) -> Sequence[StoredAddendum]:
        """The addenda to a request's certificate, in the order in which they were made."""
        ...


class DestroysKeys(Protocol):
    """The one thing that this service may do with the vault."""

    async def destroy(self, request_ids: Sequence[UUID], reason: str) -> None:
        """Destroy the keys for good; repeating it changes nothing."""
        ...
