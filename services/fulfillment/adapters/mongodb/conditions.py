"""The filters that collections are asked with."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from services.fulfillment.adapters.mongodb.values import spellings
from services.fulfillment.datamap.additions import Match, Scalar
from services.fulfillment.datamap.spelling import sought, telephone_spellings

Condition = dict[str, Any]


def identity(column: str, seed: str, match: Match) -> Condition:
    """Documents in which the column may be this identity."""
    return {column: _of(seed, match)}


def equal(column: str, values: Sequence[object]) -> Condition:
    """Documents in which the column equals one of the values, however it was written."""
    return {column: {"$in": [each for value in values for each in spellings(value)]}}


def owned(condition: Condition, where: Mapping[str, Scalar] | None) -> Condition:
    """Those of them that the map's fixed condition means."""
    fixed = {name: {"$in": spellings(value)} for name, value in (where or {}).items()}
    return {"$and": [condition, fixed]} if fixed else condition


def _of(seed: str, match: Match) -> Condition:
    """What an index cannot answer exactly is asked a little wider, and compared once more here."""
    match match:
        case "lower" | "sha256":
            return {"$regex": rf"^\s*{re.escape(sought(seed, match))}\s*$", "$options": "i"}
        case "digits":
            ways = [each for each in telephone_spellings(seed) if each]
            shapes = "|".join(r"\D*".join(each) for each in ways) or "(?!)"
            return {"$regex": rf"^\D*(?:{shapes})\D*$"}
    return {"$in": spellings(seed)}
