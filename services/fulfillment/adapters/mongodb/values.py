"""A database's own types as a row shows them, and a row's values as the database may have written them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from bson import Binary, Decimal128, Int64, ObjectId, Regex, Timestamp

_OBJECT_ID = 24

_PLAIN: dict[type, Callable[[Any], Any]] = {
    ObjectId: str,
    Regex: str,
    Decimal128: Decimal128.to_decimal,
    Timestamp: Timestamp.as_datetime,
    Int64: int,
    Binary: bytes,
}


def plain(value: Any) -> Any:
    """A value without the database's own types."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return next((turn(value) for kind, turn in _PLAIN.items() if isinstance(value, kind)), value)


def spellings(value: object) -> list[Any]:
    """How a value may have been written: an id as text, as a number, as one of the database's own."""
    if isinstance(value, int) and not isinstance(value, bool):
        return [value, str(value)]
    if not isinstance(value, str):
        return [value]
    found: list[Any] = [value]
    if value.isdigit() and str(int(value)) == value and int(value) < 2**63:
        found.append(int(value))
    if len(value) == _OBJECT_ID and ObjectId.is_valid(value):
        found.append(ObjectId(value))
    try:
        found.append(UUID(value))
    except ValueError:
        return found
    return found
