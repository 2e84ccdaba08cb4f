"""A row as the map sees it: columns from paths into what the system answered, its key, its time, its conditions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from services.fulfillment.adapters.http.connector import CollectionSpec
from services.fulfillment.adapters.http.failures import Failure
from services.fulfillment.adapters.http.paths import Path, path
from services.fulfillment.datamap.model import MapCollection
from services.fulfillment.ports import Key, KeyPart

Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """How rows of one collection are read."""

    collection: MapCollection
    key: tuple[str, ...]
    paths: Mapping[str, Path]
    own_names: frozenset[str]
    complete: bool

    def row(self, raw: Any) -> Row:
        """Take the columns out of one row.

        Raises:
            Failure: it is no object, or a column is not there although the connector says that all are.
        """
        if not isinstance(raw, Mapping):
            raise Failure("schema", f"{self.collection.name}: a row is not a JSON object")
        if self.complete and (missing := [name for name in self.own_names if name not in raw]):
            raise Failure("schema", f"{self.collection.name}.{min(missing)} is missing")
        return {name: at(raw) for name, at in self.paths.items()}

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
            raise Failure("schema", f"{self.collection.name}.{stated.field} is no time") from None

    def owned(self, row: Row) -> bool:
        """The map's fixed condition holds."""
        return all(same(row.get(name), value) for name, value in (self.collection.where or {}).items())

    def _part(self, row: Row, name: str) -> KeyPart:
        value = row.get(name)
        if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
            raise Failure("schema", f"{self.collection.name}.{name} cannot identify a row")
        return value


def shape(collection: MapCollection, spec: CollectionSpec) -> Shape:
    """Compile the paths of a collection's columns; a column without one stands under its own name."""
    paths = {name: path(spec.fields.get(name) or f'"{name}"') for name in collection.fields}
    own = frozenset(name for name in collection.fields if name not in spec.fields)
    return Shape(collection, collection.primary_key, paths, own, spec.complete)


def same(value: Any, other: Any) -> bool:
    """Equal as people mean it: 1 and true, 12 and "12"; nothing equals only nothing."""
    if value is None or other is None:
        return value is other
    if isinstance(value, bool) or isinstance(other, bool):
        return bool(_truth(value) == _truth(other))
    return str(value) == str(other)


def _truth(value: Any) -> Any:
    written = str(value).lower()
    return {"true": True, "1": True, "false": False, "0": False}.get(written, written)


def _instant(value: Any, written: str) -> datetime:
    if written == "epoch_millis":
        return datetime.fromtimestamp(float(value) / 1000, UTC)
    if written == "epoch_seconds" or (isinstance(value, int | float) and not isinstance(value, bool)):
        return datetime.fromtimestamp(float(value), UTC)
    at = datetime.fromisoformat(str(value))
    return at if at.tzinfo else at.replace(tzinfo=UTC)
