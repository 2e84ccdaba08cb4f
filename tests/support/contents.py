"""What lies packed in some bytes, so that a search also looks into archives, columns and compressed batches.

Nothing is left out quietly: what unpacks to more than the bound, or is packed deeper, ends the search with an error.
"""

import io
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from zipfile import BadZipFile, ZipFile

import cramjam
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

from shared.bounded_unpacking import DECODERS, UnpackedTooLargeError

MOST_BYTES = 64 * 1024 * 1024
DEEPEST = 5
_HEADER = 61  # of a record batch; its records follow, packed by the codec that two bytes of it name
_CODECS = {1: "gzip_decode", 2: "snappy_decode", 3: "lz4_decode", 4: "zstd_decode"}
_STREAMS = {
    b"\x1f\x8b": "gzip_decode",
    b"\x82SNAPPY\0": "snappy_decode",
    b"\x04\x22\x4d\x18": "lz4_decode",
    b"\x28\xb5\x2f\xfd": "zstd_decode",
}
# It looked like such a file and is none, or is locked: then its bytes are all there is to search.
_NONE_AFTER_ALL = (
    BadZipFile,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    cramjam.DecompressionError,
    pa.ArrowException,
    tarfile.TarError,
    zlib.error,
)


class TooMuchPacked(AssertionError):
    """A search through it would be no search through all of it."""


def everything_in(blob: bytes) -> Iterator[bytes]:
    """The bytes themselves, and all that they hold packed."""
    return chain((blob,), packed_in(blob))


def packed_in(blob: bytes, *, depth: int = 1, most: int = MOST_BYTES) -> list[bytes]:
    """What is packed in them, and in that, and so on."""
    found = list[bytes]()
    for part in _unpacked(blob, most):
        most -= len(part)
        if most < 0 or depth > DEEPEST:
            raise TooMuchPacked(f"more than {MOST_BYTES} bytes, or packed more than {DEEPEST} times")
        inner = packed_in(part, depth=depth + 1, most=most)
        most -= sum(map(len, inner))
        found += [part, *inner]
    return found


def _unpacked(blob: bytes, most: int) -> Iterator[bytes]:
    opens = _opener(blob)
    if opens is None:
        return
    try:
        yield from opens(blob, most)
    except UnpackedTooLargeError as error:
        raise TooMuchPacked("a stream or a batch unpacks to too much") from error
    except _NONE_AFTER_ALL:
        return


def _opener(blob: bytes) -> Callable[[bytes, int], Iterable[bytes]] | None:
    """How to open what begins like this."""
    if any(blob.startswith(magic) for magic in _STREAMS):
        return _stream
    for is_it, opens in (
        (blob.startswith(b"PK\x03\x04"), _zip),
        (blob.startswith(b"PAR1") and blob.endswith(b"PAR1"), _parquet),
        (blob.startswith((b"ARROW1", b"\xff\xff\xff\xff")), _arrow),
        (blob[257:262] == b"ustar", _tar),
        (blob[16:17] == b"\x02" and len(blob) > _HEADER, _batches),
    ):
        if is_it:
            return opens
    return None


def _stream(blob: bytes, _most: int) -> Iterator[bytes]:
    name = next(name for magic, name in _STREAMS.items() if blob.startswith(magic))
    yield DECODERS[name](blob)


def _zip(blob: bytes, most: int) -> Iterator[bytes]:
    with ZipFile(io.BytesIO(blob)) as archive:
        for name in archive.namelist():
            with archive.open(name) as file:
                yield file.read(most + 1)


def _tar(blob: bytes, most: int) -> Iterator[bytes]:
    with tarfile.open(fileobj=io.BytesIO(blob), mode="r:") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                yield file.read(most + 1)


def _parquet(blob: bytes, most: int) -> Iterator[bytes]:
    for batch in pq.ParquetFile(io.BytesIO(blob)).iter_batches(batch_size=1000):
        yield from _cells(batch, most)


def _arrow(blob: bytes, most: int) -> Iterator[bytes]:
    opened = ipc.open_file(blob) if blob.startswith(b"ARROW1") else ipc.open_stream(blob)
    count = getattr(opened, "num_record_batches", None)
    for batch in opened if count is None else map(opened.get_batch, range(count)):
        yield from _cells(batch, most)


def _cells(batch: pa.RecordBatch, most: int) -> Iterator[bytes]:
    """Each column's values; bytes by themselves, as something may be packed in them."""
    if batch.nbytes > most:
        raise TooMuchPacked("its columns unpack to too much")
    for column in batch.columns:
        values = column.to_pylist()
        yield b"\n".join(str(value).encode() for value in values if not isinstance(value, bytes))
        yield from (value for value in values if isinstance(value, bytes))


def _batches(blob: bytes, _most: int) -> Iterator[bytes]:
    """The records of each compressed batch of a broker's log."""
    at = 0
    while blob[at + 16 : at + 17] == b"\x02":
        end = at + 12 + int.from_bytes(blob[at + 8 : at + 12], "big")
        codec = int.from_bytes(blob[at + 21 : at + 23], "big") & 7
        if end <= at + _HEADER:
            return
        if codec in _CODECS:
            yield DECODERS[_CODECS[codec]](blob[at + _HEADER : end])
        at = end
