"""Files that are compressed with gzip: read and written through it, otherwise as what their name says before `.gz`."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from services.fulfillment.adapters.objects.failures import Failure

PACKED = ".gz"
_PACKABLE = frozenset({".csv", ".jsonl", ".ndjson"})
_LEVEL = 6


def kind_of(name: str) -> str:
    """What a file is by its name, such as `.csv`; a format that is never packed so keeps the ending `.gz`."""
    suffixes = [suffix.lower() for suffix in PurePosixPath(name).suffixes]
    if suffixes[-1:] == [PACKED] and suffixes[-2:-1] and suffixes[-2] in _PACKABLE:
        return suffixes[-2]
    return suffixes[-1] if suffixes else ""


@contextmanager
def unpacked(name: str, raw: BinaryIO) -> Iterator[BinaryIO]:
    """The file's own bytes, to be read from anywhere.

    Raises:
        Failure: it is cut off, or no gzip at all.
    """
    if not _is_packed(name):
        yield raw
        return
    try:
        with gzip.GzipFile(fileobj=raw, mode="rb") as file:
            yield cast("BinaryIO", file)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise Failure("schema", "a file that is called .gz is not whole, or no gzip") from None


@contextmanager
def packed(name: str, raw: BinaryIO) -> Iterator[BinaryIO]:
    """Where the file's own bytes are written to."""
    if not _is_packed(name):
        yield raw
        return
    with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=_LEVEL, mtime=0) as file:
        yield cast("BinaryIO", file)


def _is_packed(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() == PACKED and kind_of(name) != PACKED
