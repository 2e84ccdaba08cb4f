"""What would be read of Delta tables and committed to them, with names in the place of values."""

from collections.abc import Collection, Mapping

from services.fulfillment.adapters.delta.opening import folders
from services.fulfillment.datamap.model import MapCollection
from services.fulfillment.datamap.systems import System
from services.fulfillment.rowwise.telling import Masked, as_said, statements


def statements_of(system: System, kinds: Collection[str]) -> str:
    """Every reading of a search by these kinds, and every commit that may follow it."""
    return statements(system.datamap, kinds, _Words(folders(system)))


class _Words:
    asking = "Readings"
    deleting = "Commits of a deletion, after each of which what older versions are made of is removed"
    flagging = "Commits of an opt-out or a limit"
    correcting = "Commits of a correction"

    def __init__(self, folders: Mapping[str, str]) -> None:
        self._folders = folders

    def matching(self, collection: MapCollection, column: str, who: Masked) -> str:
        sought = {
            "lower": f"lower(trim({column})) = :{who.kind}",
            "digits": f"digits({column}) = :{who.kind}",
            "sha256": f"lower(trim({column})) = :sha256_of_{who.kind}",
        }
        return self._read(collection, sought.get(who.match, f"{column} = :{who.kind}"))

    def having(self, collection: MapCollection, column: str) -> str:
        return self._read(collection, f"{column} in (:{column}, ...)")

    def erase(self, collection: MapCollection) -> str:
        return f"delete from {self._of(collection)} where {_keyed(collection)}"  # noqa: S608 - only told

    def change(self, collection: MapCollection, values: Mapping[str, str]) -> str:
        return f"merge into {self._of(collection)} where {_keyed(collection)} set {as_said(values)}"

    def _read(self, collection: MapCollection, condition: str) -> str:
        fixed = "".join(f" and {name} = {value!r}" for name, value in (collection.where or {}).items())
        created = collection.created_at
        until = f" and {created.field} is no later than :cut_off" if created else ""
        return f"read {self._of(collection)} where {condition}{fixed}{until}"

    def _of(self, collection: MapCollection) -> str:
        return self._folders[collection.name]


def _keyed(collection: MapCollection) -> str:
    """The rows, if their time of creation still is what was read."""
    key, created = collection.primary_key, collection.created_at
    slots = ", ".join(f":{name}" for name in key)
    same = f"{key[0]} in ({slots}, ...)" if len(key) == 1 else f"({', '.join(key)}) in (({slots}), ...)"
    return same + (f" and {created.field} is :as_read" if created else "")
