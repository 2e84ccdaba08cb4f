"""Whatever a codec is given, it unfolds to a bound and no further; and what is honest comes back whole."""

from collections.abc import Callable

import pytest
from aiokafka import codec

from shared.bounded_unpacking import DECODERS, MOST_UNPACKED, UnpackedTooLargeError

HONEST = b'{"claims":"' + bytes(range(256)) * 900 + b'"}'
BOMB = bytes(MOST_UNPACKED + 1)
AT_THE_BOUND = bytes(MOST_UNPACKED)
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip_decode": codec.gzip_encode,
    "snappy_decode": codec.snappy_encode,
    "lz4_decode": codec.lz4_encode,
    "zstd_decode": codec.zstd_encode,
}


@pytest.mark.parametrize("name", DECODERS)
def test_what_was_packed_comes_back(name: str) -> None:
    assert DECODERS[name](memoryview(ENCODERS[name](HONEST))) == HONEST


@pytest.mark.parametrize("name", DECODERS)
def test_the_bound_is_the_last_that_comes_back(name: str) -> None:
    assert DECODERS[name](ENCODERS[name](AT_THE_BOUND)) == AT_THE_BOUND

    with pytest.raises(UnpackedTooLargeError):
        DECODERS[name](ENCODERS[name](BOMB))


def test_gzip_in_several_members_is_bounded_as_a_whole() -> None:
    half = codec.gzip_encode(bytes(MOST_UNPACKED // 2 + 1))

    assert DECODERS["gzip_decode"](half + codec.gzip_encode(b"end")).endswith(b"\0end")
    with pytest.raises(UnpackedTooLargeError):
        DECODERS["gzip_decode"](half + half)


def test_snappy_that_is_not_in_blocks_is_bounded_too() -> None:
    assert DECODERS["snappy_decode"](codec.snappy_encode(HONEST, xerial_compatible=False)) == HONEST

    with pytest.raises(UnpackedTooLargeError):
        DECODERS["snappy_decode"](codec.snappy_encode(BOMB, xerial_compatible=False))


@pytest.mark.parametrize("name", DECODERS)
def test_what_ends_too_early_is_an_error_and_no_shorter_text(name: str) -> None:
    whole = ENCODERS[name](HONEST)

    with pytest.raises(Exception, match=r".+") as refused:
        DECODERS[name](whole[: len(whole) // 2])

    assert not isinstance(refused.value, UnpackedTooLargeError)
