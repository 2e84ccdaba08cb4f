"""Lets a consumer read records whose header names are no UTF-8, at which the client library stops for ever.

aiokafka decodes names while it unpacks a batch, and raises out of every fetch what it cannot decode: one record of a
foreign system would stop all partitions of a service. Here such a batch is unpacked again by the library's own Python
code, with those names kept as surrogates. The envelope then finds the record unreadable, which is one dead letter.
"""

from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy

NEWEST_FORMAT = 2
_PartitionRecords: Any = fetcher.PartitionRecords


def install() -> None:
    """Make every consumer of this process lenient; doing it again changes nothing."""
    fetcher.MemoryRecords = KeptRecords
    fetcher.PartitionRecords = LenientPartition


class KeptRecords:
    """The library's records, with the bytes that they are read from."""

    __slots__ = ("content", "has_next", "next_batch", "size_in_bytes")

    def __init__(self, content: bytes) -> None:
        records = MemoryRecords(content)
        self.content = content
        self.has_next = records.has_next
        self.next_batch = records.next_batch
        self.size_in_bytes = records.size_in_bytes


class LenientPartition(_PartitionRecords):  # type: ignore[misc]  # the library ships no types
    """Goes on from the record at which the fast way stopped."""

    _records: Any

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except UnicodeDecodeError:
            self._records = _LenientRecords(self._records.content)
            # Records before the next offset to be fetched were given out already, and are passed over.
            self._records_iterator = self._unpack_records()
            return super().__next__()


class _LenientRecords(_MemoryRecordsPy):  # type: ignore[misc]  # the library ships no types
    def next_batch(self, *_cached: int) -> Any:
        content = self._next_slice
        if content is None or content[self.MAGIC_OFFSET] < NEWEST_FORMAT:
            return super().next_batch()
        self._cache_next()
        return _LenientBatch(content)


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # the library ships no types
    _buffer: Any

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _LenientBytes(self._buffer)


class _LenientBytes(bytearray):
    """Names cut out of it are decoded whatever they hold."""

    def __getitem__(self, where: Any) -> Any:
        found = super().__getitem__(where)
        return _LenientBytes(found) if isinstance(where, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "surrogateescape") -> str:
        return super().decode(encoding, errors)
