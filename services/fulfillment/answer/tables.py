"""The rows of one table as files: CSV that is safe to open in a spreadsheet, and JSON, a row on each line."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

Json = dict[str, Any]

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""With these a spreadsheet takes a text for a formula, and runs it on the reader's machine."""


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[Json]]) -> Iterator[bytes]:
    """RFC 4180, UTF-8; a text that a spreadsheet would run is led by an apostrophe."""
    yield _written([[_harmless(column) for column in columns]])
    for some in rows:
        yield _written([_harmless(row.get(column)) for column in columns] for row in some)


def as_json_lines(rows: Iterable[Sequence[Json]]) -> Iterator[bytes]:
    """Every value as it is held."""
    for some in rows:
        yield "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in some).encode()


def _written(lines: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(lines)
    return text.getvalue().encode()


def _harmless(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
