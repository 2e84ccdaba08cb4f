"""Very many row keys in little memory: what a search has found, without a Python object for each.

A few keys are held as they are. Beyond that they are packed: numbers as such, others as texts, with a table of their
places by hash beside them. A key is known exactly, and a person with a million rows takes some tens of megabytes.
"""

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol, overload

from services.fulfillment.frozen import Key

FEW: Final = 10_000
"""Up to so many are held as they are."""
_TEXT, _JSON = b"t", b"j"
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


class KeySet:
    """Keys without repetition, in the order in which they came."""

    def __init__(self, few: int = FEW) -> None:
        self._most_few = few
        self._few: dict[Key, None] = {}
        self._many: _Table | None = None

    def __contains__(self, key: Key) -> bool:
        return key in self._few if self._many is None else self._many.has(key)

    def __len__(self) -> int:
        return len(self._few) if self._many is None else len(self._many.packed)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._few if self._many is None else PackedKeys(self._many.packed))

    def update(self, keys: Iterable[Key]) -> None:
        """Add those that are new."""
        if self._many is None:
            self._few.update(dict.fromkeys(keys))
            if len(self._few) <= self._most_few:
                return
            self._many = _Table(4 * self._most_few)
            keys, self._few = self._few, {}
        for key in keys:
            self._many.add(key)

    def kept(self) -> Sequence[Key]:
        """All of them, to be held for longer."""
        return tuple(self._few) if self._many is None else PackedKeys(self._many.packed)


class Packing:
    """Keys that are known to be without repetition, as they come; nothing is looked up in them."""

    def __init__(self, few: int = FEW) -> None:
        self._most_few = few
        self._few: list[Key] = []
        self._many: _Packed | None = None

    def add(self, keys: Iterable[Key]) -> None:
        """Some more of them."""
        if self._many is None:
            self._few += keys
            if len(self._few) <= self._most_few:
                return
            keys, self._few, self._many = self._few, [], _Numbers()
        for key in keys:
            if not self._many.takes(key):
                self._many = _as_texts(self._many)
            self._many.append(key)

    def kept(self) -> Sequence[Key]:
        """All of them, to be held for longer."""
        return tuple(self._few) if self._many is None else PackedKeys(self._many)


class PackedKeys(Sequence[Key]):
    """Keys that are unpacked as they are read."""

    def __init__(self, packed: "_Packed") -> None:
        self._packed = packed

    @overload
    def __getitem__(self, place: int) -> Key: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Key, ...]: ...

    def __getitem__(self, place: int | slice) -> Key | tuple[Key, ...]:
        if isinstance(place, slice):
            return tuple(self._packed.key(each) for each in range(*place.indices(len(self))))
        return self._packed.key(range(len(self))[place])

    def __len__(self) -> int:
        return len(self._packed)

    def __repr__(self) -> str:
        return f"PackedKeys({len(self)})"


class _Packed(Protocol):
    def takes(self, key: Key) -> bool: ...

    def append(self, key: Key) -> None: ...

    def is_at(self, place: int, key: Key) -> bool: ...

    def key(self, place: int) -> Key: ...

    def __len__(self) -> int: ...


class _Numbers:
    """Keys of one number."""

    def __init__(self) -> None:
        self._numbers = array("q")

    def takes(self, key: Key) -> bool:
        return len(key) == 1 and type(key[0]) is int and _SMALLEST <= key[0] <= _LARGEST

    def append(self, key: Key) -> None:
        self._numbers.append(int(key[0]))

    def is_at(self, place: int, key: Key) -> bool:
        return self._numbers[place] == key[0]

    def key(self, place: int) -> Key:
        return (self._numbers[place],)

    def __len__(self) -> int:
        return len(self._numbers)


class _Texts:
    """Keys of any kind: one text as it is, all others as JSON."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])

    def takes(self, key: Key) -> bool:
        del key
        return True

    def append(self, key: Key) -> None:
        self._bytes += _packed(key)
        self._ends.append(len(self._bytes))

    def is_at(self, place: int, key: Key) -> bool:
        return self.key(place) == key

    def key(self, place: int) -> Key:
        one = self._bytes[self._ends[place] : self._ends[place + 1]]
        return (one[1:].decode(),) if one[0] == _TEXT[0] else tuple(json.loads(one[1:]))

    def __len__(self) -> int:
        return len(self._ends) - 1


def _packed(key: Key) -> bytes:
    if len(key) == 1 and isinstance(key[0], str) and key[0].isascii():
        return _TEXT + key[0].encode()
    return _JSON + json.dumps(key).encode()


class _Table:
    """Where each packed key stands, by its hash: the next free slot is taken, and at most half of them are."""

    def __init__(self, slots: int) -> None:
        self.packed: _Packed = _Numbers()
        self._hashes = array("q")
        self._slots = array("I", bytes(4 * slots))

    def has(self, key: Key) -> bool:
        return self._slots[self._slot(hash(key), key)] > 0

    def add(self, key: Key) -> None:
        if not self.packed.takes(key):
            self._repack()
        hashed = hash(key)
        slot = self._slot(hashed, key)
        if self._slots[slot]:
            return
        self.packed.append(key)
        self._hashes.append(hashed)
        self._slots[slot] = len(self._hashes)
        if 2 * len(self._hashes) >= len(self._slots):
            self._grow()

    def _slot(self, hashed: int, key: Key) -> int:
        """Of the key, or the free one that it would get."""
        slots, size = self._slots, len(self._slots)
        slot = hashed % size
        while place := slots[slot]:
            if self._hashes[place - 1] == hashed and self.packed.is_at(place - 1, key):
                break
            slot = (slot + 1) % size
        return slot

    def _grow(self) -> None:
        size = 2 * len(self._slots)
        slots = self._slots = array("I", bytes(4 * size))
        for place, hashed in enumerate(self._hashes, start=1):
            slot = hashed % size
            while slots[slot]:
                slot = (slot + 1) % size
            slots[slot] = place

    def _repack(self) -> None:
        """The first key that is no number: all of them become texts, in their places."""
        self.packed = _as_texts(self.packed)


def _as_texts(packed: _Packed) -> _Packed:
    texts = _Texts()
    for place in range(len(packed)):
        texts.append(packed.key(place))
    return texts
