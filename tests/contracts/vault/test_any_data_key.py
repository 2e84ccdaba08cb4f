"""What the vault may rely on of a key, real or the simulation's: it opens where it was sealed, and nowhere else."""

from collections.abc import Callable
from random import Random

import pytest

from shared.vault.data_key import Aead, UnsealError, load_data_key, new_data_key
from tests.simulation.loop import PlainKey

Made = tuple[Aead, Callable[[], Aead]]
CHANCE = Random(1)  # noqa: S311 - a test


def real() -> Made:
    key, serialised = new_data_key()
    return key, lambda: load_data_key(serialised)


def plain() -> Made:
    serialised = CHANCE.randbytes(16)
    return PlainKey(serialised), lambda: PlainKey(serialised)


@pytest.fixture(params=[real, plain], ids=["tink", "the simulation's"])
def make(request: pytest.FixtureRequest) -> Callable[[], Made]:
    found: Callable[[], Made] = request.param
    return found


def test_what_was_sealed_opens_with_the_key_as_it_was_stored(make: Callable[[], Made]) -> None:
    key, loaded = make()

    assert loaded().decrypt(key.encrypt(b"words", b"here"), b"here") == b"words"


def test_it_opens_for_nothing_else(make: Callable[[], Made]) -> None:
    key, _ = make()

    with pytest.raises(UnsealError):
        key.decrypt(key.encrypt(b"words", b"here"), b"there")


def test_another_key_does_not_open_it(make: Callable[[], Made]) -> None:
    key, other = make()[0], make()[0]

    with pytest.raises(UnsealError):
        other.decrypt(key.encrypt(b"words", b"here"), b"here")


@pytest.mark.parametrize("text", [b"", b"nothing that was ever sealed"])
def test_what_was_never_sealed_does_not_open(make: Callable[[], Made], text: bytes) -> None:
    key, _ = make()

    with pytest.raises(UnsealError):
        key.decrypt(text, b"here")
