"""The rows of one table as CSV, safe to open in a spreadsheet."""

import csv
import io
from typing import Any, Final

Json = dict[str, Any]

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""With these a spreadsheet takes a text for a formula, and runs it on the reader's machine."""


def columns_of(data: Json) -> list[str]:
    """Every column that any row has, as they come."""
    return list(dict.fromkeys(column for row in data["rows"] for column in row))


def as_csv(data: Json) -> bytes:
    """RFC 4180, UTF-8; a text that a spreadsheet would run is led by an apostrophe."""
    columns = columns_of(data)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([_harmless(column) for column in columns])
    writer.writerows([_harmless(row.get(column)) for column in columns] for row in data["rows"])
    return text.getvalue().encode()


def _harmless(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
