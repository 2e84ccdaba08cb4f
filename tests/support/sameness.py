"""Whether two values are the same in every part, as far as anybody who goes on with one could tell."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import starmap
from typing import Any

from pydantic import BaseModel


def is_same(one: Any, other: Any) -> bool:
    """Equal in every part, types too: a word that was never made a member of its list equals one, and is none."""
    if type(one) is not type(other):
        return False
    if isinstance(one, BaseModel):
        return is_same(dict(one), dict(other))
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, Sequence) and not isinstance(one, str):
        return len(one) == len(other) and all(starmap(is_same, zip(one, other, strict=True)))
    return bool(one.isoformat() == other.isoformat() if isinstance(one, datetime) else one == other)
