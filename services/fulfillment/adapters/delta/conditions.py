"""Which rows are meant, in Delta's own SQL: what is deleted is bound to exact keys."""

from collections.abc import Sequence

from services.fulfillment.ports import Key, KeyPart


def predicate(columns: Sequence[str], keys: Sequence[Key]) -> str:
    """The columns together are one of the keys."""
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
