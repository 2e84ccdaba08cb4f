"""The vault as a service uses it: open a batch's keys once, then seal and unseal without waiting."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from itertools import chain
from uuid import UUID

from shared.gathering import Gathering
from shared.vault.cache import Gone, KeyCache
from shared.vault.data_key import Aead, UnsealError, load_data_key, new_data_key
from shared.vault.errors import CannotUnseal, CannotUnwrap, KeyDestroyed, KeyNotOpen, KeyUnknown
from shared.vault.month_key import month_key_id
from shared.vault.ports import KeyEncryptionKey, KeyStore, StoredKey

MOST_AT_ONCE = 200


class Vault:
    """One per process. `create` and `prefetch` wait for the store; `seal` and `open` use the cache alone.

    A key stays at most `cache_seconds` in memory, and at least half of that after a prefetch.
    """

    def __init__(
        self,
        keys: KeyStore,
        kek: KeyEncryptionKey,
        *,
        monotonic: Callable[[], float],
        cache_seconds: float = 60,
        max_keys: int = 8192,
    ) -> None:
        self._keys = keys
        self._kek = kek
        self._cache = KeyCache(seconds=cache_seconds, limit=max_keys, monotonic=monotonic)
        self._opening: Gathering[Sequence[UUID], None] = Gathering(self._open_all, most=MOST_AT_ONCE)

    async def create(self, request_ids: Sequence[UUID]) -> None:
        """Give each request its key, once; a key that exists is opened, a destroyed one stays destroyed."""
        self._cache.trim()
        fresh = {one: new_data_key() for one in self._cache.to_load(request_ids)}
        if not fresh:
            return
        wrapped = [
            (one, await self._kek.wrap(serialised, one.bytes)) for one, (_, serialised) in fresh.items()
        ]
        ours = dict(wrapped)
        for stored in await self._keys.create(wrapped):
            is_ours = stored.wrapped == ours[stored.request_id]
            key = fresh[stored.request_id][0] if is_ours else await self._opened(stored)
            self._cache.put(stored.request_id, key)

    async def create_month(self, month: str) -> UUID:
        """Make or open the dead letters' key of a month; answers the id to seal and open under."""
        key_id = month_key_id(month)
        if self._cache.to_load([key_id]):
            _aead, serialised = new_data_key()
            stored = await self._keys.create_month(month, await self._kek.wrap(serialised, key_id.bytes))
            self._cache.put(key_id, await self._opened(stored))
        return key_id

    async def prefetch(self, request_ids: Sequence[UUID]) -> None:
        """Open a batch's keys in one call; unknown and destroyed ones raise where they are used."""
        self._cache.trim()
        if self._cache.to_load(request_ids):
            await self._opening.submit(request_ids)

    def seal(self, request_id: UUID, message_id: UUID, field: str, plaintext: bytes) -> str:
        """The plaintext as base64url text that opens only for this request, message and field."""
        sealed = self._key(request_id, field).encrypt(plaintext, _bound_to(request_id, message_id, field))
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, request_id: UUID, message_id: UUID, field: str, sealed: str) -> bytes:
        """The plaintext; raises CannotUnseal, KeyDestroyed, KeyUnknown, or KeyNotOpen before a prefetch."""
        key = self._key(request_id, field)
        try:
            padded = sealed.encode() + b"=" * (-len(sealed) % 4)
            return key.decrypt(urlsafe_b64decode(padded), _bound_to(request_id, message_id, field))
        except (UnsealError, NotBase64, UnicodeError):
            raise CannotUnseal(request_id, field) from None

    async def destroy(self, request_ids: Sequence[UUID], reason: str) -> None:
        """Destroy the keys for good; other processes forget them within their cache's time."""
        await self._keys.destroy(sorted(set(request_ids)), reason)
        for one in request_ids:
            self._cache.put(one, Gone.DESTROYED)

    def forget_expired(self) -> None:
        """Let go of keys whose time is over; called by a timer where no traffic does it."""
        self._cache.trim()

    async def _open_all(self, asked: Sequence[Sequence[UUID]]) -> Sequence[None]:
        """One call for all who ask at once; the tasks of one request ask for the same key."""
        wanted = self._cache.to_load(chain.from_iterable(asked))
        found = {stored.request_id: stored for stored in await self._keys.open(wanted)} if wanted else {}
        for one in wanted:
            self._cache.put(one, await self._opened(found[one]) if one in found else Gone.UNKNOWN)
        return [None] * len(asked)

    async def _opened(self, stored: StoredKey) -> Aead | Gone:
        if stored.wrapped is None:
            return Gone.DESTROYED
        try:
            return load_data_key(await self._kek.unwrap(stored.wrapped, stored.request_id.bytes))
        except (CannotUnwrap, UnsealError):
            # One damaged row must not stop the batch: its own request says so when it is used.
            return Gone.BROKEN

    def _key(self, request_id: UUID, field: str) -> Aead:
        match self._cache.get(request_id):
            case None:
                raise KeyNotOpen(request_id)
            case Gone.UNKNOWN:
                raise KeyUnknown(request_id)
            case Gone.DESTROYED:
                raise KeyDestroyed(request_id)
            case Gone.BROKEN:
                raise CannotUnseal(request_id, field)
            case key:
                return key


def _bound_to(request_id: UUID, message_id: UUID, field: str) -> bytes:
    # Two ids of fixed length come first, so no two different triples make the same bytes.
    return request_id.bytes + message_id.bytes + field.encode()
