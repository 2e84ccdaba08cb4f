"""Which relay shard a record belongs to."""

import zlib

SHARDS = 16


def shard_of(key: str) -> int:
    """The shard of a record's key: all topics of one request share it, and requests spread evenly."""
    return zlib.crc32(key.encode()) % SHARDS
