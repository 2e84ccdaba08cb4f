"""JSON, a row on each line; a line that is not changed is copied byte by byte, and of one that is, each number."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any, BinaryIO, Self

from services.fulfillment.adapters.objects.contents import Change, Stretch
from services.fulfillment.adapters.objects.failures import Failure
from services.fulfillment.rowwise.documents import changed, columns_in, with_nested
from services.fulfillment.rowwise.rows import Row
from services.fulfillment.rowwise.wanted import Wanted

AT_ONCE = 2000


class JsonlContent:
    """One file of JSON objects; rows need not all have the same columns, and `nested` ones are paths in them."""

    def __init__(self, file: BinaryIO, nested: Sequence[str] = ()) -> None:
        self._file = file
        self._nested = nested

    def columns(self) -> AbstractSet[str] | None:
        """The names that any row has, and the paths of what is inside."""
        rows = [
            {*row, *columns_in(row)}
            for stretch in self.stretches()
            for row in stretch.objects
            if row is not None
        ]
        return set[str]().union(*rows) if rows else None

    def closed(self) -> AbstractSet[str]:
        """None: what a path does not lead to is not there."""
        return frozenset()

    def several(self) -> AbstractSet[str]:
        """None: a line tells of itself alone."""
        return frozenset()

    def stretches(self) -> "Iterator[JsonlStretch]":
        """So many lines at a time."""
        self._file.seek(0)
        lines = iter(self._file)
        while some := list(islice(lines, AT_ONCE)):
            yield JsonlStretch(some, self._nested)

    def rewrite(self, out: BinaryIO, decide: Callable[[Stretch], Mapping[int, Change]]) -> None:
        """Copy what stays."""
        for stretch in self.stretches():
            changes = decide(stretch)
            for position, line in enumerate(stretch.lines):
                if position not in changes:
                    out.write(line)
                elif (change := changes[position]) is not None:
                    row = stretch.objects[position] or {}
                    out.write(f"{_written({**row, **changed(row, change)})}\n".encode())


class JsonlStretch:
    """Some lines, read."""

    def __init__(self, lines: list[bytes], nested: Sequence[str]) -> None:
        self.lines = lines
        self.objects: list[dict[str, Any] | None] = [_read(line) for line in lines]
        self._nested = nested

    def rows(self, wanted: Wanted) -> Iterator[tuple[int, Row]]:
        """Compare row by row."""
        for position, each in enumerate(self.objects):
            if each is not None and wanted.holds(row := with_nested(each, self._nested)):
                yield position, row


class _Number(float):
    """A number with more digits than Python keeps: it is written as it was."""

    def __new__(cls, text: str) -> Self:
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str


def _read(line: bytes) -> dict[str, Any] | None:
    if not line.strip():
        return None
    try:
        row = json.loads(line, parse_float=_Number)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise Failure("schema", "a file has a line that is not a JSON object")
    return row


def _written(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{_written(n)}: {_written(v)}" for n, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_written, value)) + "]"
        case _Number():
            return value.text
    return json.dumps(value, ensure_ascii=False)
