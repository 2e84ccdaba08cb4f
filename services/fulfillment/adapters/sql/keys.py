"""Row keys and linking values, between the database's types and plain JSON."""

import base64
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa

from services.fulfillment.adapters.sql.failures import SchemaDriftError
from services.fulfillment.ports import KeyPart

T = TypeVar("T")

_FROM_TEXT: dict[type, Callable[[str], Any]] = {
    bool: lambda text: {"true": True, "1": True, "false": False, "0": False}[text.lower()],
    int: int,
    float: float,
    str: str,
    UUID: UUID,
    Decimal: Decimal,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    bytes: bytes.fromhex,
}
_LARGEST_INTEGER = 2**31 - 1


def encode(value: object) -> KeyPart:
    """A key part as JSON holds it."""
    match value:
        case int() | str():
            return value
        case UUID() | Decimal():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return value.hex()
    raise SchemaDriftError(f"a key column of the type {type(value).__name__} cannot identify a row")


def fit(value: object, column: sa.ColumnElement[Any]) -> Any:
    """The value in the column's own type, or None where no row can equal it."""
    wanted = _python_type(column)
    as_it_is = wanted is None or value is None or type(value) is wanted
    try:
        fitted = value if as_it_is or wanted is None else _FROM_TEXT[wanted](str(encode(value)))
        return fitted if _in_range(fitted, column) else None
    except (ValueError, ArithmeticError, KeyError):
        return None


def fitting(column: sa.ColumnClause[Any]) -> Callable[[object], Any]:
    """What `fit` does for one column: looked up once for a list of values, most of which are what they should be."""
    kind = type(column.type)
    if not issubclass(kind, sa.Integer):
        return lambda value: fit(value, column)
    largest = _largest(column.type)
    return lambda value: value if type(value) is int and -largest <= value <= largest else fit(value, column)


def fitted_parts(column: sa.ColumnClause[Any], parts: list[KeyPart]) -> list[Any]:
    """What `fit` does for a list; one that is wholly as the column wants it, as most are, is taken as it is."""
    kinds = set(map(type, parts))
    if (kinds == {str} and isinstance(column.type, sa.String)) or (kinds == {int} and _hold(column, parts)):
        return parts
    fits = fitting(column)
    return [fits(part) for part in parts]


def plain(value: object) -> Any:
    """A value as an answer shows it."""
    match value:
        case None | bool() | int() | float() | str() | list() | dict():
            return value
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
    return str(value)


def in_chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _python_type(column: sa.ColumnElement[Any]) -> type | None:
    if isinstance(column.type, sa.types.NullType | sa.types.UserDefinedType):
        return None
    try:
        wanted = column.type.python_type
    except NotImplementedError:
        return None
    return wanted if wanted in _FROM_TEXT else None


def _in_range(value: object, column: sa.ColumnElement[Any]) -> bool:
    """Whether a row can hold it: a server would cut a longer value to what the column holds, and find another's."""
    match column.type:
        case sa.String(length=int(length)) if isinstance(value, str):
            return len(value.rstrip(" ") if isinstance(column.type, sa.CHAR) else value) <= length
        case sa.Numeric(scale=int(scale)) if isinstance(value, Decimal):
            return value == round(value, scale)
        case sa.BigInteger():
            return True
        case sa.Integer() if isinstance(value, int):
            return abs(value) <= _largest(column.type)
    return True


def _hold(column: sa.ColumnClause[Any], parts: list[Any]) -> bool:
    largest = _largest(column.type)
    return isinstance(column.type, sa.Integer) and -largest <= min(parts) and max(parts) <= largest


def _largest(kind: sa.types.TypeEngine[Any]) -> int:
    """Numbers without a sign, which MySQL has, go further."""
    largest = 2**63 - 1 if isinstance(kind, sa.BigInteger) else _LARGEST_INTEGER
    return 2 * largest + 1 if getattr(kind, "unsigned", False) else largest
