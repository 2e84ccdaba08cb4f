"""A key store with every right on it, and the processes around it, for the vault's contract suite."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from deploy.vault_database import vault_role
from shared.privacy import Secret
from shared.vault import KeyEncryptionKey, KeyStore, PostgresKeys, StoredKey, Vault, WrappedKey
from tests.support.memory_vault import MemoryKek, MemoryKeyStore


@dataclass
class Keeper:
    """Every right on one store at once, as the services and the rotation command have it together."""

    by_login: dict[str, PostgresKeys]

    async def create(self, keys: Sequence[tuple[UUID, WrappedKey]]) -> Sequence[StoredKey]:
        return await self.by_login["intake"].create(keys)

    async def create_month(self, month: str, wrapped: WrappedKey) -> StoredKey:
        return await self.by_login["deadline"].create_month(month, wrapped)

    async def open(self, request_ids: Sequence[UUID]) -> Sequence[StoredKey]:
        return await self.by_login["fulfillment"].open(request_ids)

    async def destroy(self, request_ids: Sequence[UUID], reason: str) -> None:
        await self.by_login["deadline"].destroy(request_ids, reason)

    async def stale(self, version: str, after: UUID, limit: int) -> Sequence[StoredKey]:
        return await self.by_login["keeper"].stale(version, after, limit)

    async def replace(self, request_id: UUID, old: WrappedKey, new: WrappedKey) -> bool:
        return await self.by_login["keeper"].replace(request_id, old, new)


@dataclass
class World:
    """One key store, and a clock and a vault for each process that a test needs."""

    keys: MemoryKeyStore | Keeper
    kek: MemoryKek = field(default_factory=MemoryKek)
    seconds: float = 0.0

    def process(self, *, kek: KeyEncryptionKey | None = None, max_keys: int = 8192) -> Vault:
        keys: KeyStore = self.keys
        return Vault(keys, kek or self.kek, monotonic=lambda: self.seconds, max_keys=max_keys)


@dataclass(frozen=True)
class VaultDatabase:
    """A migrated vault of its own on a real server."""

    admin_url: str
    name: str
    passwords: dict[str, Secret[str]]

    def url(self, login: str) -> str:
        parts = urlsplit(self.admin_url)
        host = parts.netloc.rpartition("@")[2]
        user = f"{vault_role(login, self.name)}:{self.passwords[login].reveal()}"
        return urlunsplit(parts._replace(netloc=f"{user}@{host}", path=f"/{self.name}"))
