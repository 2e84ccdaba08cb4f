"""Opened keys, held for a minute at most and never more than so many.

All entries live equally long and are only ever added at the end, so the oldest is always first.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from enum import Enum
from uuid import UUID

from shared.vault.data_key import Aead


class Gone(Enum):
    """Why a request has no key that could be used."""

    UNKNOWN = "unknown"
    DESTROYED = "destroyed"
    BROKEN = "broken"


class KeyCache:
    """Request id to opened key, or to the reason that there is none."""

    def __init__(self, *, seconds: float, limit: int, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._limit = limit
        self._monotonic = monotonic
        self._entries: OrderedDict[UUID, tuple[float, Aead | Gone]] = OrderedDict()

    def put(self, request_id: UUID, key: Aead | Gone) -> None:
        self._entries.pop(request_id, None)
        self._entries[request_id] = (self._monotonic() + self._seconds, key)

    def get(self, request_id: UUID) -> Aead | Gone | None:
        expires, key = self._entries.get(request_id, (0.0, None))
        return key if key is not None and self._monotonic() < expires else None

    def to_load(self, request_ids: Iterable[UUID]) -> list[UUID]:
        """Those to fetch, in id order: absent, unknown, or with less than half of their time left."""
        half = self._monotonic() + self._seconds / 2
        return sorted({one for one in request_ids if not self._is_fresh(one, half)})

    def _is_fresh(self, request_id: UUID, until: float) -> bool:
        expires, key = self._entries.get(request_id, (0.0, None))
        return key is not None and key is not Gone.UNKNOWN and expires >= until

    def trim(self) -> None:
        """Drop what has expired, and the oldest beyond the limit."""
        now = self._monotonic()
        while self._entries:
            expires, _key = next(iter(self._entries.values()))
            if expires > now and len(self._entries) <= self._limit:
                return
            self._entries.popitem(last=False)
