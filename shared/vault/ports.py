"""What the vault needs from outside: a place for wrapped keys, and the key that wraps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key under a key-encryption key; `version` names which one."""

    blob: bytes
    version: str


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What the vault holds for a request; `wrapped` is None once the key was destroyed."""

    request_id: UUID
    wrapped: WrappedKey | None


class KeyEncryptionKey(Protocol):
    """The key over all keys: a file here; a cloud KMS or HashiCorp Vault behind the same two calls."""

    @property
    def version(self) -> str:
        """The version that new keys are wrapped under."""
        ...

    async def wrap(self, key: bytes, context: bytes) -> WrappedKey:
        """Encrypt a data key, bound to `context`."""
        ...

    async def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """The data key again; raises CannotUnwrap or KekVersionMissing."""
        ...


class KeyStore(Protocol):
    """Where wrapped keys lie. A destroyed key stays destroyed, also against a later create."""

    async def create(self, keys: Sequence[tuple[UUID, WrappedKey]]) -> Sequence[StoredKey]:
        """Store each key unless its request already has one; answers what is stored now."""
        ...

    async def create_month(self, month: str, wrapped: WrappedKey) -> StoredKey:
        """The same for the dead letters' key of one month, `2026-01`, under `month_key_id(month)`."""
        ...

    async def open(self, request_ids: Sequence[UUID]) -> Sequence[StoredKey]:
        """What is stored for these requests; unknown ones are left out."""
        ...

    async def destroy(self, request_ids: Sequence[UUID], reason: str) -> None:
        """Overwrite the keys for good; repeating it, or for a request without a key, changes nothing else."""
        ...


class KeyKeeper(Protocol):
    """What the rotation command may do, and no service."""

    async def stale(self, version: str, after: UUID, limit: int) -> Sequence[StoredKey]:
        """Keys wrapped under another version than this one, by id, those past `after` only."""
        ...

    async def replace(self, request_id: UUID, old: WrappedKey, new: WrappedKey) -> bool:
        """Put the new wrapping in the place of the old one, unless the key changed or went in between."""
        ...
