"""Which rows are meant: for pyarrow where rows are read, and in Delta's own SQL where they are deleted."""

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.spelling import sought, telephone_spellings
from services.fulfillment.ports import Key, KeyPart


def identity(column: str, seed: str, match: Match) -> pc.Expression:
    """The column is this identity."""
    text = pc.field(column).cast(pa.string())
    match match:
        case "lower" | "sha256":
            return pc.utf8_lower(pc.utf8_trim_whitespace(text)) == sought(seed, match)
        case "digits":
            digits = pc.replace_substring_regex(text, pattern=r"[^0-9]", replacement="")
            return digits.isin(_texts(each for each in telephone_spellings(seed) if each))
    return text == seed


def among(column: str, values: Sequence[object]) -> pc.Expression:
    """The column equals one of the values."""
    return pc.field(column).cast(pa.string()).isin(_texts(map(_text, values)))


def keyed(columns: Sequence[str], keys: Sequence[Key]) -> pc.Expression:
    """The columns together may be one of the keys; who asks compares once more."""
    expression = among(columns[0], [key[0] for key in keys])
    for position, column in enumerate(columns[1:], start=1):
        expression &= among(column, [key[position] for key in keys])
    return expression


def predicate(columns: Sequence[str], keys: Sequence[Key]) -> str:
    """The same in SQL, exactly."""
    if len(columns) == 1:
        return f"{_name(columns[0])} IN ({', '.join(_literal(key[0]) for key in keys)})"
    either = (
        " AND ".join(f"{_name(c)} = {_literal(p)}" for c, p in zip(columns, key, strict=True)) for key in keys
    )
    return " OR ".join(f"({each})" for each in either)


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _literal(part: KeyPart) -> str:
    return str(part) if isinstance(part, int) else "'" + part.replace("'", "''") + "'"


def _texts(values: Iterable[str]) -> pa.Array:
    return pa.array(list(values), pa.string())


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
