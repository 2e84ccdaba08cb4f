"""One byte form for a JSON value, so that whoever hashes or signs it gets the same digest.

Keys sorted, no white space, UTF-8, no floats: their text differs between languages.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from pydantic_core import to_json

_SCALARS = frozenset({str, int, bool, type(None)})

Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]


def canonical_json(value: Json) -> bytes:
    """The value's one byte form; a float or any other type is a TypeError."""
    return to_json(_sorted(value))


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def instant(at: datetime) -> str:
    """An aware time as UTC text with microseconds, the same for every zone that it may have come in."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone has no canonical form")
    return _utc_text(at if at.tzinfo is UTC else at.astimezone(UTC))


@lru_cache(maxsize=64)
def _utc_text(at: datetime) -> str:
    """Much of what is written together happened at the same time."""
    return at.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _sorted(value: Any) -> Any:
    # Exact types first: this runs for every message, and an abstract isinstance costs ten times as much.
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is dict:
        return {key: item if type(item := value[key]) in _SCALARS else _sorted(item) for key in sorted(value)}
    if kind is list or kind is tuple:
        return [_sorted(item) for item in value]
    if isinstance(value, str | int):
        return value
    raise TypeError(f"canonical JSON holds no {kind.__name__}")
