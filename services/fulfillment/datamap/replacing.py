"""What de-identification puts in a value's place, the same in every kind of system."""

import hashlib
import hmac
from typing import Any, Final

from services.fulfillment.datamap.model import MapField
from services.fulfillment.datamap.random_values import random_like

HASHED = "hmac:"
OWN_TO_A_ROW: Final = frozenset({"keyed_hash", "random"})
"""What takes the place of a value depends on it: such rows are read, and written one by one."""


def keyed_hash(field: MapField, value: object, key: bytes) -> str | None:
    """The keyed hash of a value, cut to the column's length; what is hashed already stays as it is."""
    if value is None or str(value).startswith(HASHED):
        return value if value is None else str(value)
    digest = hmac.new(key, f"{field.name}:{value}".encode(), hashlib.sha256).hexdigest()
    return (HASHED + digest)[: field.length]


def in_place_of(field: MapField, value: object, key: bytes) -> Any:
    """What one value of such a column becomes."""
    return random_like(value) if strategy(field) == "random" else keyed_hash(field, value, key)


def strategy(field: MapField) -> str:
    """How the map wants this column's values replaced; empty where it does not."""
    return field.deidentify.strategy if field.deidentify else ""


def tells(field: MapField) -> bool:
    """Whether a value of the column shows that it was replaced; a random one looks like any other."""
    return strategy(field) != "random"


def constant(field: MapField) -> Any:
    """What every row gets in this column: the map's value, or nothing."""
    return field.deidentify.value if field.deidentify and strategy(field) == "constant" else None
