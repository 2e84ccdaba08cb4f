"""The filters and changes that a MongoDB would be asked for, from the builders of those that are."""

import json
from collections.abc import Collection, Mapping

from services.fulfillment.adapters.mongodb.conditions import Condition, equal, identity, owned
from services.fulfillment.datamap.model import MapCollection
from services.fulfillment.rowwise.telling import Masked, as_said


class MongoWords:
    """A filter or a change for each step."""

    asking = "Filters"
    deleting = "Changes of a deletion, a document each, if it still is what was read"
    flagging = "Changes of an opt-out or a limit"
    correcting = "Changes of a correction"

    def matching(self, collection: MapCollection, column: str, who: Masked) -> str:
        return who.told(_find(collection, identity(column, who.seed, who.match)))

    def having(self, collection: MapCollection, column: str) -> str:
        return _find(collection, equal(column, [":value", "..."]))

    def erase(self, collection: MapCollection) -> str:
        return f"db.{collection.name}.deleteOne({_as_read(collection, ())})"

    def change(self, collection: MapCollection, values: Mapping[str, str]) -> str:
        outermost = dict.fromkeys(name.split(".")[0] for name in values)
        put = json.dumps({"$set": {name: f":{name}" for name in outermost}})
        return f"db.{collection.name}.updateOne({_as_read(collection, outermost)}, {put}), with {as_said(values)}"


def _find(collection: MapCollection, condition: Condition) -> str:
    return f"db.{collection.name}.find({json.dumps(owned(condition, collection.where))})"


def _as_read(collection: MapCollection, columns: Collection[str]) -> str:
    created = collection.created_at
    guarded = [*columns, *([created.field.split(".")[0]] if created else [])]
    return json.dumps({"_id": ":_id", **dict.fromkeys(guarded, ":as_read")})
