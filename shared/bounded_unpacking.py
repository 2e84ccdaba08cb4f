"""Bounds what a compressed batch may unfold to: a few kilobytes could otherwise fill a service's memory.

The broker looks at a batch's compressed size alone, and setting a topic to `compression.type=uncompressed` would only
let the broker unfold it, in its own memory (ADR 0016). The client library unpacks a batch whole; here its codecs stop
at a bound.
"""

import zlib
from collections.abc import Callable
from typing import Any, Final

import cramjam
from aiokafka.codec import _detect_xerial_stream
from aiokafka.record import default_records
from aiokafka.record._crecords import default_records as compiled_records

# A record may have a mebibyte, and an honest batch of them is smaller than this before it is compressed.
MOST_UNPACKED: Final = 16 * 1024 * 1024
_ANY_GZIP: Final = zlib.MAX_WBITS | 32
Payload = bytes | bytearray | memoryview
_XERIAL_HEADER: Final = 16
_XERIAL_LENGTH: Final = 4


class UnpackedTooLargeError(Exception):
    """A batch unfolds to more than anybody may send."""


def install() -> None:
    """Bound every consumer of this process; doing it again changes nothing."""
    for module in (default_records, compiled_records):
        for name, decode in DECODERS.items():
            if not hasattr(
                module, name
            ):  # a later library that unpacks elsewhere must not go unbounded unnoticed
                raise ImportError(f"{module.__name__} has no {name} any more")
            setattr(module, name, decode)


def unzip(payload: Payload) -> bytes:
    """What gzip packed, in one member or in several."""
    rest, unpacked = bytes(payload), bytearray()
    while rest:
        member = zlib.decompressobj(_ANY_GZIP)
        unpacked += member.decompress(rest, MOST_UNPACKED - len(unpacked) + 1)
        if len(unpacked) > MOST_UNPACKED:
            raise UnpackedTooLargeError
        if not member.eof:
            raise EOFError("the gzip stream ends before its end")
        rest = member.unused_data
    return bytes(unpacked)


def unsnap(payload: Payload) -> bytes:
    """What snappy packed, raw or in xerial's blocks: each says first how long it will be."""
    blocks = _xerial_blocks(bytes(payload)) if _detect_xerial_stream(payload) else [bytes(payload)]
    if sum(cramjam.snappy.decompress_raw_len(block) for block in blocks) > MOST_UNPACKED:
        raise UnpackedTooLargeError
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


def _xerial_blocks(payload: bytes) -> list[bytes]:
    blocks, at = [], _XERIAL_HEADER
    while at < len(payload):
        start = at + _XERIAL_LENGTH
        at = start + int.from_bytes(payload[at:start], "big")
        blocks.append(payload[start:at])
    return blocks


def _into(unpack_into: Callable[[bytes, bytearray], int]) -> Callable[[Payload], bytes]:
    def unpack(payload: Payload) -> bytes:
        # Pages that nothing is written to cost nothing.
        room = bytearray(MOST_UNPACKED + 1)
        try:
            length = unpack_into(bytes(payload), room)
        except cramjam.DecompressionError as error:
            if "whole buffer" in str(error):
                raise UnpackedTooLargeError from None
            raise
        if length > MOST_UNPACKED:
            raise UnpackedTooLargeError
        return bytes(memoryview(room)[:length])

    return unpack


DECODERS: Final[dict[str, Any]] = {
    "gzip_decode": unzip,
    "snappy_decode": unsnap,
    "lz4_decode": _into(cramjam.lz4.decompress_into),
    "zstd_decode": _into(cramjam.zstd.decompress_into),
}
