"""One byte form for a JSON value, so that whoever hashes or signs it gets the same digest.

Keys sorted, no white space, UTF-8, no floats: their text differs between languages.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode

_SCALARS = frozenset({str, int, bool, type(None)})

Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]


def canonical_json(value: Json) -> bytes:
    """The value's one byte form; a float or any other type is a TypeError."""
    _check(value)
    return _ENCODE(value).encode()


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def instant(at: datetime) -> str:
    """An aware time as UTC text with microseconds, the same for every zone that it may have come in."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone has no canonical form")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _check(value: Any) -> None:
    # Exact types first: this runs for every message, and an abstract isinstance costs ten times as much.
    kind = type(value)
    if kind is dict:
        for item in value.values():
            _check(item)
    elif kind is list or kind is tuple:
        for item in value:
            _check(item)
    elif kind not in _SCALARS and not isinstance(value, str | int):
        raise TypeError(f"canonical JSON holds no {kind.__name__}")
