"""A processor's copy of what it holds: fetched from where its file says that copies lie, and turned into rows.

OpenDSR says where a copy can be had (`results_url`) and nothing of what it looks like. JSON, JSON Lines and CSV are
read, also compressed with gzip or put together in a zip; whatever else it is, a person has to look.
"""

import csv
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from services.fulfillment.datamap.model import DataMap
from services.fulfillment.ports import ExportedDataset, Withheld
from services.fulfillment.told.calling import NotWell

Row = Mapping[str, Any]
MOST_FILES: Final = 200
DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"


class UnreadableCopyError(Exception):
    """The copy is nothing that can be shown; the reason quotes nothing of it."""


def is_own(address: str, own: str) -> bool:
    """Whether an address is of the processor's own origin, the only one that is shown our credentials."""
    return _origin(address) == _origin(own)


def refuse_elsewhere(address: str, own: str, hosts: Sequence[str]) -> None:
    """Nothing is fetched but from the processor's own origin, or over TLS from a host that its file names.

    Raises:
        NotWell: the address is of neither, or cannot be read.
    """
    origin = _origin(address)
    elsewhere = {("https", host.lower(), 443) for host in hosts}
    if origin is None or not (is_own(address, own) or origin in elsewhere):
        raise NotWell(
            "refused",
            "the copy lies where the system's file names no host; ask the processor from which host it gives copies,"
            " and name it in settings results_hosts",
        )


def _origin(address: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(address)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    if "@" in parts.netloc or not parts.hostname or "\\" in address:
        return None
    return parts.scheme, parts.hostname, port


def datasets_of(raw: bytes, datamap: DataMap, *, most: int) -> list[ExportedDataset]:
    """The copy's rows, by file; values of columns that the map withholds are counted and dropped.

    Raises:
        UnreadableCopyError: it is of no kind that is read, or larger than `most` bytes when unpacked.
    """
    only = next(iter(datamap.collections)) if len(datamap.collections) == 1 else "copy"
    found = [(name or only, rows) for name, rows in _files(raw, most) if rows]
    return [_dataset(name, rows, datamap) for name, rows in found]


def _files(raw: bytes, most: int) -> Iterator[tuple[str, list[Row]]]:
    if not raw.startswith(_ZIP):
        yield "", _rows(_unpacked(raw, most))
        return
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir()]
            if len(entries) > MOST_FILES or sum(one.file_size for one in entries) > most:
                raise UnreadableCopyError("the copy is larger when unpacked than results_max_mb allows")
            for one in entries:
                with archive.open(one) as entry:
                    yield (
                        PurePosixPath(one.filename).name.split(".")[0],
                        _rows(_unpacked(_bounded(entry, most), most)),
                    )
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error):
        raise UnreadableCopyError("the copy is a zip that cannot be read") from None


def _unpacked(raw: bytes, most: int) -> bytes:
    if not raw.startswith(_GZIP):
        return raw
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
            return _bounded(packed, most)
    except (OSError, EOFError, zlib.error):
        raise UnreadableCopyError("the copy is a gzip that cannot be read") from None


def _bounded(packed: Any, most: int) -> bytes:
    """A few kilobytes may unpack to a world: read no further than is allowed."""
    plain: bytes = packed.read(most + 1)
    if len(plain) > most:
        raise UnreadableCopyError("the copy is larger when unpacked than results_max_mb allows")
    return plain


def _rows(raw: bytes) -> list[Row]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableCopyError("the copy is no text") from None
    first = text.lstrip()[:1]
    if not first:
        return []
    if first == "<":
        raise UnreadableCopyError("the copy is a page for people")
    return _json(text) if first in "[{" else _csv(text)


def _json(text: str) -> list[Row]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = _lines(text)
    rows = whole if isinstance(whole, list) else [whole]
    if not all(isinstance(row, Mapping) for row in rows):
        raise UnreadableCopyError("the copy holds rows that are no JSON objects")
    return rows


def _lines(text: str) -> list[Any]:
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        raise UnreadableCopyError("the copy is neither JSON nor JSON Lines") from None


def _csv(text: str) -> list[Row]:
    """A first line of names; a line that does not fit it is no CSV that could be shown rightly."""
    try:
        head, *rows = csv.reader(io.StringIO(text), strict=True)
    except csv.Error:
        raise UnreadableCopyError("the copy is neither JSON nor CSV") from None
    full = [row for row in rows if row]
    if (
        len(set(head)) < len(head)
        or any(len(row) != len(head) for row in full)
        or not (len(head) > 1 or full)
    ):
        raise UnreadableCopyError("the copy is neither JSON nor CSV")
    return [dict(zip(head, row, strict=True)) for row in full]


def _dataset(name: str, rows: list[Row], datamap: DataMap) -> ExportedDataset:
    known = {field.name: field for each in datamap.collections.values() for field in each.fields.values()}
    hidden = {field.name: field.withheld for field in known.values() if field.withheld}
    counts = {column: sum(row.get(column) is not None for row in rows) for column in hidden}
    return ExportedDataset(
        dataset=name,
        rows=tuple({str(key): value for key, value in row.items() if key not in hidden} for row in rows),
        categories={field.name: field.category for field in known.values() if field.category},
        withheld=tuple(Withheld(column, hidden[column] or "", n) for column, n in counts.items() if n),
    )
