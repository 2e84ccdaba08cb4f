"""The vault without a database: proven equal to the real one by tests/contracts/vault."""

from collections.abc import Callable, Sequence
from uuid import UUID

from shared.vault import CannotUnwrap, KekVersionMissing, StoredKey, Vault, WrappedKey
from shared.vault.data_key import Aead, UnsealError, new_data_key
from shared.vault.month_key import month_key_id


class MemoryKeyStore:
    """A KeyStore and KeyKeeper in a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[UUID, WrappedKey | None] = {}

    async def create(self, keys: Sequence[tuple[UUID, WrappedKey]]) -> Sequence[StoredKey]:
        for request_id, wrapped in keys:
            self.rows.setdefault(request_id, wrapped)
        return await self.open([request_id for request_id, _ in keys])

    async def create_month(self, month: str, wrapped: WrappedKey) -> StoredKey:
        return (await self.create([(month_key_id(month), wrapped)]))[0]

    async def open(self, request_ids: Sequence[UUID]) -> Sequence[StoredKey]:
        return [StoredKey(one, self.rows[one]) for one in dict.fromkeys(request_ids) if one in self.rows]

    async def destroy(self, request_ids: Sequence[UUID], reason: str) -> None:
        self.rows.update(dict.fromkeys(request_ids))

    async def stale(self, version: str, after: UUID, limit: int) -> Sequence[StoredKey]:
        found = [
            StoredKey(one, wrapped)
            for one, wrapped in sorted(self.rows.items())
            if wrapped is not None and wrapped.version != version and one > after
        ]
        return found[:limit]

    async def replace(self, request_id: UUID, old: WrappedKey, new: WrappedKey) -> bool:
        if self.rows.get(request_id) != old:
            return False
        self.rows[request_id] = new
        return True


class MemoryKek:
    """A KeyEncryptionKey without a file; `rotate` adds a version."""

    def __init__(self) -> None:
        self._keys: list[Aead] = []
        self.rotate()

    def rotate(self) -> None:
        self._keys.append(new_data_key()[0])

    @property
    def version(self) -> str:
        return str(len(self._keys))

    async def wrap(self, key: bytes, context: bytes) -> WrappedKey:
        return WrappedKey(self._keys[-1].encrypt(key, context), self.version)

    async def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        if int(wrapped.version) > len(self._keys):
            raise KekVersionMissing(wrapped.version)
        try:
            return self._keys[int(wrapped.version) - 1].decrypt(wrapped.blob, context)
        except UnsealError:
            raise CannotUnwrap("a stored key does not open under its key-encryption key") from None


def memory_vault(
    keys: MemoryKeyStore | None = None, *, monotonic: Callable[[], float] = lambda: 0.0, max_keys: int = 8192
) -> Vault:
    """A vault for tests; two of them over one MemoryKeyStore and MemoryKek are two processes."""
    return Vault(keys or MemoryKeyStore(), MemoryKek(), monotonic=monotonic, max_keys=max_keys)
