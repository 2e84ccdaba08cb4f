"""Lets a consumer read records whose header names are no UTF-8, at which the client library stops for ever.

aiokafka decodes names while it unpacks a batch, and raises out of every fetch what it cannot decode: one record of a
foreign system would stop all partitions of a service. Here such a batch is unpacked again by the library's own Python
code, with those names kept as surrogates. The envelope then finds the record unreadable, which is one dead letter.

A batch that unfolds to more than anybody may send is passed over as a whole, with one record in its place that says so.
"""

import struct
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy

from shared import bounded_unpacking
from shared.bounded_unpacking import UnpackedTooLargeError
from shared.events.envelope import TOO_LARGE_UNPACKED

NEWEST_FORMAT = 2
# A batch's base offset and length; then, behind epoch, format, checksum and attributes, its last offset's delta.
_BATCH = struct.Struct(">qi11xi")
_FRAME = 12
# What a broker takes uncompressed; in a compressed batch one record could be as large as all of it.
LARGEST_RECORD = 1_048_576
_PartitionRecords: Any = fetcher.PartitionRecords


def install() -> None:
    """Make every consumer of this process lenient; doing it again changes nothing."""
    bounded_unpacking.install()
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
    next_fetch_offset: int

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except UnicodeDecodeError:
            self._records = _LenientRecords(self._records.content)
            # Records before the next offset to be fetched were given out already, and are passed over.
            self._records_iterator = self._unpack_records()
            return next(self)
        except UnpackedTooLargeError:
            return self._passed_over()

    def _consumer_record(self, tp: Any, record: Any) -> Any:
        if record.value is not None and len(record.value) > LARGEST_RECORD:
            return self._in_place(record.offset)
        return super()._consumer_record(tp, record)

    def _passed_over(self) -> ConsumerRecord[None, bytes]:
        """One record in place of the batch that comes next."""
        offset: int = self.next_fetch_offset
        content: bytes = self._records.content
        while True:
            base, length, delta = _BATCH.unpack_from(content)
            content = content[_FRAME + length :]
            if base + delta >= offset:
                break
        self.next_fetch_offset = base + delta + 1
        self._records = KeptRecords(content)
        self._records_iterator = self._unpack_records()
        return self._in_place(max(base, offset))

    def _in_place(self, offset: int) -> ConsumerRecord[None, bytes]:
        """A record that nobody sent: it says that what lay here is too large to be unpacked."""
        return ConsumerRecord(
            topic=self._tp.topic,
            partition=self._tp.partition,
            offset=offset,
            timestamp=-1,
            timestamp_type=0,
            key=None,
            value=b"",
            checksum=None,
            serialized_key_size=-1,
            serialized_value_size=0,
            headers=((TOO_LARGE_UNPACKED, b"1"),),
        )


class _LenientRecords(_MemoryRecordsPy):  # type: ignore[misc]  # the library ships no types
    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.content = content

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
