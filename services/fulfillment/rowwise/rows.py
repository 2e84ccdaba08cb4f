"""A row as the map sees it: its key, its time, its conditions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias
from uuid import UUID

from services.fulfillment.datamap.model import MapCollection
from services.fulfillment.ports import Key, KeyPart

Row: TypeAlias = Mapping[str, Any]


class RowFailure(Exception):
    """Rows that cannot be dealt with as they are: a person has to look. The reason quotes no value."""

    def __init__(self, meaning: Literal["schema", "unbounded", "refused"], reason: str) -> None:
        super().__init__(reason)
        self.meaning: Literal["schema", "unbounded", "refused"] = meaning
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RowShape:
    """How rows of one collection are told apart and bounded."""

    collection: MapCollection
    key: tuple[str, ...]

    def key_of(self, row: Row) -> Key:
        """The row's key; a row that cannot be named cannot be frozen."""
        return tuple(self._part(row, name) for name in self.key)

    def until(self, row: Row, instant: datetime) -> bool:
        """Created no later; a row that has no time of its own is bound by its id alone."""
        created = self.created(row)
        return created is None or created <= instant

    def created(self, row: Row) -> datetime | None:
        """When the row came to be, if it says."""
        stated = self.collection.created_at
        value = row.get(stated.field) if stated else None
        if stated is None or value is None or value == "":
            return None
        try:
            return _instant(value, stated.format)
        except (ValueError, OverflowError, TypeError):
            raise RowFailure("schema", f"{self.collection.name}.{stated.field} is no time") from None

    def owned(self, row: Row) -> bool:
        """The map's fixed condition holds."""
        return all(same(row.get(name), value) for name, value in (self.collection.where or {}).items())

    def _part(self, row: Row, name: str) -> KeyPart:
        value = row.get(name)
        if isinstance(value, UUID | Decimal):
            return str(value)
        if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
            raise RowFailure("schema", f"{self.collection.name}.{name} cannot identify a row")
        return value


def same(value: Any, other: Any) -> bool:
    """Equal as people mean it: 1 and true, 12 and "12"; nothing equals only nothing, an array each of its values."""
    if isinstance(value, list):
        return any(same(each, other) for each in value)
    if value is None or other is None:
        return value is other
    if isinstance(value, bool) or isinstance(other, bool):
        return bool(_truth(value) == _truth(other))
    return str(value) == str(other)


def _truth(value: Any) -> Any:
    written = str(value).lower()
    return {"true": True, "1": True, "false": False, "0": False}.get(written, written)


def _instant(value: Any, written: str) -> datetime:
    if isinstance(value, date):
        at = (
            value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
        )
    elif written == "epoch_millis":
        at = datetime.fromtimestamp(float(value) / 1000, UTC)
    elif written == "epoch_seconds" or (isinstance(value, int | float) and not isinstance(value, bool)):
        at = datetime.fromtimestamp(float(value), UTC)
    else:
        at = datetime.fromisoformat(str(value))
    return at if at.tzinfo else at.replace(tzinfo=UTC)
