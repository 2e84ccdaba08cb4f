"""Very many keys, packed, are the same keys."""

import json
from collections.abc import Iterable

import pytest

from services.fulfillment.keysets import KeySet, PackedKeys
from services.fulfillment.ports import Frozen, Key

FEW = 20
NUMBERS: list[Key] = [(n * 7919 - 10**12,) for n in range(500)]
KINDS: dict[str, list[Key]] = {
    "numbers": NUMBERS,
    "texts": [(f"0a000000-0000-4000-8000-{n:012d}",) for n in range(500)],
    "composite": [(n % 7, f"order {n}") for n in range(500)],
    "of several kinds": [*NUMBERS, (2**70,), ("7",), ("é",), (1, "2"), ("",), ("j[1]",)],
}


def held(keys: Iterable[Key]) -> KeySet:
    found = KeySet(FEW)
    for key in keys:
        found.update([key])
    return found


@pytest.mark.parametrize("keys", KINDS.values(), ids=list(KINDS))
def test_many_keys_are_known_once_each_and_no_others(keys: list[Key]) -> None:
    found = held([*keys, *keys[:100]])

    assert len(found) == len(keys)
    assert set(found) == set(keys)
    assert all(key in found for key in keys)
    assert (5,) not in found
    assert ("5",) not in found
    assert (10**15, "x") not in found


@pytest.mark.parametrize("keys", KINDS.values(), ids=list(KINDS))
def test_a_search_that_held_them_packed_is_bound_to_the_same(keys: list[Key]) -> None:
    packed = held(keys).kept()
    plain = Frozen({"orders": tuple(keys)})

    assert isinstance(packed, PackedKeys)
    assert Frozen({"orders": packed}).digest() == plain.digest()
    stored = json.loads(json.dumps(Frozen({"orders": packed}).to_json()))
    assert Frozen.from_json(stored).digest() == plain.digest()
    assert packed[3:90] == tuple(packed)[3:90]
    assert (packed[-1], packed[0]) == (keys[-1], next(iter(packed)))


def test_a_few_keys_are_held_as_they_are() -> None:
    assert held([(1,), (2,), (1,)]).kept() == ((1,), (2,))
