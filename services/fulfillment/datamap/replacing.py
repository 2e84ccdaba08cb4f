"""What de-identification puts in a value's place, the same in every kind of system."""

import hashlib
import hmac
from typing import Any

from services.fulfillment.datamap.model import MapField

HASHED = "hmac:"


def keyed_hash(field: MapField, value: object, key: bytes) -> str | None:
    """The keyed hash of a value, cut to the column's length; what is hashed already stays as it is."""
    if value is None or str(value).startswith(HASHED):
        return value if value is None else str(value)
    digest = hmac.new(key, f"{field.name}:{value}".encode(), hashlib.sha256).hexdigest()
    return (HASHED + digest)[: field.length]


def strategy(field: MapField) -> str:
    """How the map wants this column's values replaced; empty where it does not."""
    return field.deidentify.strategy if field.deidentify else ""


def constant(field: MapField) -> Any:
    """What every row gets in this column: the map's value, or nothing."""
    return field.deidentify.value if field.deidentify and strategy(field) == "constant" else None
