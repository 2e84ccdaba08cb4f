"""The queries that an index would be asked, from the builders of those that are.

What only the index knows is left open: each field is told as if it were a keyword outside of nested objects.
"""

import json
from collections.abc import Collection, Mapping
from urllib.parse import quote

from services.fulfillment.adapters.search.fields import IndexField, Query, equal, identity
from services.fulfillment.adapters.search.opening import indices
from services.fulfillment.datamap.model import MapCollection
from services.fulfillment.datamap.systems import System
from services.fulfillment.rowwise.telling import Masked, as_said, statements


def statements_of(system: System, kinds: Collection[str]) -> str:
    """Every query of a search by these kinds, and the orders of a deletion and an opt-out after it."""
    return statements(system.datamap, kinds, _Words(indices(system)))


class _Words:
    asking = "Queries, with each field as if it were a keyword"
    deleting = "Orders of a deletion, a document each, if nobody has written it since it was read"
    flagging = "Orders of an opt-out or a limit"
    correcting = "Orders of a correction"

    def __init__(self, index: Mapping[str, str]) -> None:
        self._index = {name: quote(each, safe="*,-_.") for name, each in index.items()}

    def matching(self, collection: MapCollection, column: str, who: Masked) -> str:
        return who.told(self._search(collection, identity(_field(column), who.seed, who.match)))

    def having(self, collection: MapCollection, column: str) -> str:
        return self._search(collection, equal(_field(column), [":value", "..."]))

    def erase(self, collection: MapCollection) -> str:
        return f"POST /_bulk {json.dumps({'delete': self._as_read(collection)})}"

    def change(self, collection: MapCollection, values: Mapping[str, str]) -> str:
        doc = {name: f":{name}" for name in dict.fromkeys(name.split(".")[0] for name in values)}
        order = json.dumps({"update": self._as_read(collection)})
        return f"POST /_bulk {order} {json.dumps({'doc': doc})}, with {as_said(values)}"

    def _search(self, collection: MapCollection, query: Query) -> str:
        return f"POST /{self._index[collection.name]}/_search {json.dumps({'query': query})}"

    def _as_read(self, collection: MapCollection) -> Mapping[str, str]:
        bound = {"if_seq_no": ":as_read", "if_primary_term": ":as_read"}
        return {"_index": self._index[collection.name], "_id": ":_id", **bound}


def _field(column: str) -> IndexField:
    return IndexField(column, "keyword")
