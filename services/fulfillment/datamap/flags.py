"""Opt out and limit: the column that the map names for a right."""

from services.fulfillment.datamap.additions import Flag
from services.fulfillment.datamap.model import MapCollection

FLAG_RIGHTS = frozenset({"opt_out", "limit"})


def flag_of(collection: MapCollection, right: str) -> Flag | None:
    """The flag that the right sets on a row of this collection, if it sets any."""
    return collection.opt_out if right == "opt_out" else collection.limit
