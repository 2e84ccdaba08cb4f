"""A row as the map sees it: its columns, from paths into what the system answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.fulfillment.adapters.http.connector import CollectionSpec
from services.fulfillment.adapters.http.failures import Failure
from services.fulfillment.adapters.http.paths import Path, path
from services.fulfillment.datamap.model import MapCollection
from services.fulfillment.rowwise.rows import Row, RowShape


@dataclass(frozen=True, slots=True)
class Shape(RowShape):
    """How rows of one collection are read."""

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


def shape(collection: MapCollection, spec: CollectionSpec) -> Shape:
    """Compile the paths of a collection's columns; a column without one stands under its own name."""
    paths = {name: path(spec.fields.get(name) or f'"{name}"') for name in collection.fields}
    own = frozenset(name for name in collection.fields if name not in spec.fields)
    return Shape(collection, collection.primary_key, paths, own, spec.complete)
