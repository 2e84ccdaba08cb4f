"""CSV: a header, then records; a record that is not changed is copied byte by byte."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, BinaryIO

from services.fulfillment.adapters.objects.contents import Change, Stretch
from services.fulfillment.adapters.objects.failures import Failure
from services.fulfillment.rowwise.rows import Row
from services.fulfillment.rowwise.wanted import Wanted

AT_ONCE = 2000
_BOM = b"\xef\xbb\xbf"
_UNREADABLE = "is not readable as CSV in UTF-8 with as many fields in each record as in its header"


@dataclass(frozen=True, slots=True)
class Record:
    """One record and the bytes that it stands in; a blank line has no fields."""

    raw: bytes
    fields: tuple[str, ...]


class CsvContent:
    """One CSV file. An empty field is a value that is not there."""

    def __init__(self, file: BinaryIO, delimiter: str) -> None:
        self._file = file
        self._delimiter = delimiter

    def columns(self) -> AbstractSet[str]:
        """The header's names."""
        return set(self._header(self._records()).fields)

    def closed(self) -> AbstractSet[str]:
        """None: what a path does not lead to is not there."""
        return frozenset()

    def several(self) -> AbstractSet[str]:
        """None: a field is one value."""
        return frozenset()

    def stretches(self) -> "Iterator[CsvStretch]":
        """So many records at a time."""
        records = self._records()
        names = self._header(records).fields
        while some := self._some(records, len(names)):
            yield CsvStretch(names, some)

    def rewrite(self, out: BinaryIO, decide: Callable[[Stretch], Mapping[int, Change]]) -> None:
        """Copy what stays, write what is changed in the file's own way."""
        out.write(self._header(self._records()).raw)
        for stretch in self.stretches():
            changes = decide(stretch)
            for position, record in enumerate(stretch.records):
                if position not in changes:
                    out.write(record.raw)
                elif (change := changes[position]) is not None:
                    out.write(self._written(stretch.names, record, change))

    def _header(self, records: Iterator[Record]) -> Record:
        header = next(records, None)
        if header is None or len(set(header.fields)) < len(header.fields):
            raise Failure("schema", "a file has no header, or one with a name twice")
        return header

    def _some(self, records: Iterator[Record], width: int) -> list[Record]:
        some: list[Record] = []
        for record in records:
            if record.fields and len(record.fields) != width:
                raise Failure("schema", f"a file {_UNREADABLE}")
            some.append(record)
            if len(some) == AT_ONCE:
                break
        return some

    def _records(self) -> Iterator[Record]:
        """A record may go over several lines: the bytes that the reader took for it are its own."""
        self._file.seek(0)
        lines = _Lines(self._file)
        try:
            for fields in csv.reader(lines, delimiter=self._delimiter, strict=True):
                yield Record(lines.take(), tuple(fields))
        except (csv.Error, UnicodeDecodeError):
            raise Failure("schema", f"a file {_UNREADABLE}") from None

    def _written(self, names: Sequence[str], record: Record, change: Mapping[str, Any]) -> bytes:
        values = {**dict(zip(names, record.fields, strict=True)), **{k: _text(v) for k, v in change.items()}}
        out = io.StringIO(newline="")
        ending = "\r\n" if record.raw.endswith(b"\r\n") else "\n"
        csv.writer(out, delimiter=self._delimiter, lineterminator=ending).writerow(
            [values[name] for name in names]
        )
        return out.getvalue().encode()


class CsvStretch:
    """Some records."""

    def __init__(self, names: tuple[str, ...], records: list[Record]) -> None:
        self.names = names
        self.records = records

    def rows(self, wanted: Wanted) -> Iterator[tuple[int, Row]]:
        """Compare record by record."""
        for position, record in enumerate(self.records):
            row = {name: value or None for name, value in zip(self.names, record.fields, strict=False)}
            if wanted.holds(row):
                yield position, row


class _Lines:
    """The file's lines as text, and the bytes of those that were asked for since the last record."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = iter(file)
        self._taken: list[bytes] = []
        self._first = True

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        raw = next(self._file)
        self._taken.append(raw)
        text = (raw.removeprefix(_BOM) if self._first else raw).decode()
        self._first = False
        return text

    def take(self) -> bytes:
        taken, self._taken = b"".join(self._taken), []
        return taken


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
