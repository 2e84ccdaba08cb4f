"""After the key-encryption key was rotated: wrap every stored key again, so that the old version can go."""

from dataclasses import dataclass
from uuid import UUID

from shared.vault.errors import CannotUnwrap
from shared.vault.ports import KeyEncryptionKey, KeyKeeper, StoredKey, WrappedKey


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """How many keys lie under the newest version now, and which ones could not be opened."""

    done: int = 0
    damaged: tuple[UUID, ...] = ()


async def rewrap(keeper: KeyKeeper, kek: KeyEncryptionKey, *, batch: int = 500) -> Rewrapped:
    """Walk through the stale keys once, by id; the data keys themselves do not change."""
    result, after = Rewrapped(), UUID(int=0)
    while stale := await keeper.stale(kek.version, after, batch):
        for key in stale:
            result = await _add(result, keeper, kek, key)
        after = stale[-1].request_id
    return result


async def _add(result: Rewrapped, keeper: KeyKeeper, kek: KeyEncryptionKey, key: StoredKey) -> Rewrapped:
    if key.wrapped is None:
        return result
    try:
        new = await _wrapped_again(kek, key.request_id, key.wrapped)
    except CannotUnwrap:
        return Rewrapped(result.done, (*result.damaged, key.request_id))
    replaced = await keeper.replace(key.request_id, key.wrapped, new)
    return Rewrapped(result.done + replaced, result.damaged)


async def _wrapped_again(kek: KeyEncryptionKey, request_id: UUID, old: WrappedKey) -> WrappedKey:
    return await kek.wrap(await kek.unwrap(old, request_id.bytes), request_id.bytes)
