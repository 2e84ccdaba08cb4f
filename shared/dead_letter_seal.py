"""What could not be handled may hold anything, a person's data too: it is set aside sealed, for a while only.

The key is one a month, in the vault, and is destroyed sixty days after the month began: no dead letter can be
read for longer, wherever copies of it lie.
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from shared.vault import CannotUnseal, Vault
from shared.vault.month_key import month_key_id

KEPT_FOR: Final = timedelta(days=60)

_FIELD: Final = "dead_letter"
_MONTHS_LOOKED_BACK: Final = 12


class DeadLetterSeal:
    """Seals and opens dead letters; each is bound to its own id."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def seal(self, raw: bytes, *, letter_id: UUID, now: datetime) -> str:
        """`<month>.<sealed>` under the month's key, which is made where it is missing."""
        month = _month(now)
        key_id = await self._vault.create_month(month)
        return f"{month}.{self._vault.seal(key_id, letter_id, _FIELD, raw)}"

    async def open(self, sealed: str, *, letter_id: UUID) -> bytes:
        """The bytes again; raises CannotUnseal, or KeyDestroyed once the month is over."""
        month, _, text = sealed.partition(".")
        if not text:
            raise CannotUnseal(letter_id, _FIELD)
        key_id = month_key_id(month)
        await self._vault.prefetch([key_id])
        return self._vault.open(key_id, letter_id, _FIELD, text)

    async def destroy_expired(self, now: datetime) -> None:
        """Destroy the keys of months that began sixty days ago or earlier; may be called at any time."""
        gone = [month_key_id(month) for month in expired_months(now)]
        await self._vault.destroy(gone, "dead letters kept long enough")


def expired_months(now: datetime) -> list[str]:
    """The months whose keys must be gone by now, as far back as a year of missed calls."""
    last = _first_day(now.astimezone(UTC) - KEPT_FOR)
    months = []
    for _ in range(_MONTHS_LOOKED_BACK):
        months.append(_month(last))
        last = _first_day(last - timedelta(days=1))
    return months


def _month(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m")


def _first_day(at: datetime) -> datetime:
    return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
