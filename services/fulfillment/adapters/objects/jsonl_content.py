"""JSON, a row on each line; a line that is not changed is copied byte by byte."""

import json
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any, BinaryIO

from services.fulfillment.adapters.objects.contents import Change, Stretch
from services.fulfillment.adapters.objects.failures import Failure
from services.fulfillment.adapters.objects.wanted import Wanted
from services.fulfillment.rowwise.rows import Row

AT_ONCE = 2000


class JsonlContent:
    """One file of JSON objects; rows need not all have the same columns."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def columns(self) -> AbstractSet[str] | None:
        """The names that any row has."""
        rows = [row.keys() for stretch in self.stretches() for row in stretch.objects if row is not None]
        return set().union(*rows) if rows else None

    def stretches(self) -> "Iterator[JsonlStretch]":
        """So many lines at a time."""
        self._file.seek(0)
        lines = iter(self._file)
        while some := list(islice(lines, AT_ONCE)):
            yield JsonlStretch(some)

    def rewrite(self, out: BinaryIO, decide: Callable[[Stretch], Mapping[int, Change]]) -> None:
        """Copy what stays."""
        for stretch in self.stretches():
            changes = decide(stretch)
            for position, line in enumerate(stretch.lines):
                if position not in changes:
                    out.write(line)
                elif (change := changes[position]) is not None:
                    out.write(_written({**(stretch.objects[position] or {}), **change}))


class JsonlStretch:
    """Some lines, read."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.objects: list[dict[str, Any] | None] = [_read(line) for line in lines]

    def rows(self, wanted: Wanted) -> Iterator[tuple[int, Row]]:
        """Compare row by row."""
        for position, row in enumerate(self.objects):
            if row is not None and wanted.holds(row):
                yield position, row


def _read(line: bytes) -> dict[str, Any] | None:
    if not line.strip():
        return None
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise Failure("schema", "a file has a line that is not a JSON object")
    return row


def _written(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"
