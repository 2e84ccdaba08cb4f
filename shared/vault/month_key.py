"""The id under which the dead letters' key of a month lies among the requests' keys.

The database computes the same id (vault.month_key_id): who may make month keys can make no others.
"""

import hashlib
from uuid import UUID


def month_key_id(month: str) -> UUID:
    """The id for a month such as `2026-01`."""
    return UUID(bytes=hashlib.sha256(f"habeas dead letters {month}".encode()).digest()[:16])
