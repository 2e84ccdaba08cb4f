"""Which files would be read and written anew, and on which condition a row in them is meant."""

from collections.abc import Collection, Mapping

from services.fulfillment.adapters.objects.places import read_patterns
from services.fulfillment.datamap.model import MapCollection
from services.fulfillment.datamap.systems import System
from services.fulfillment.rowwise.telling import Masked, as_said, statements


def statements_of(system: System, kinds: Collection[str]) -> str:
    """Every reading of a search by these kinds, and every writing of a deletion and an opt-out after it.

    Raises:
        MapError: the system file cannot be used with this map.
    """
    return statements(system.datamap, kinds, _Words(read_patterns(system)))


class _Words:
    asking = "Readings"
    deleting = "Writings of a deletion, all prepared before the first file is replaced"
    flagging = "Writings of an opt-out or a limit"
    correcting = "Writings of a correction"

    def __init__(self, files: Mapping[str, tuple[str, ...]]) -> None:
        self._files = files

    def matching(self, collection: MapCollection, column: str, who: Masked) -> str:
        sought = {
            "lower": f"lower({column}) = :{who.kind}",
            "digits": f"digits({column}) = :{who.kind}",
            "sha256": f"{column} = :sha256_of_{who.kind}",
        }
        return self._read(collection, sought.get(who.match, f"{column} = :{who.kind}"))

    def having(self, collection: MapCollection, column: str) -> str:
        return self._read(collection, f"{column} in (:{column}, ...)")

    def erase(self, collection: MapCollection) -> str:
        return f"write {self._of(collection)} without the rows where {_bound(collection)}"

    def change(self, collection: MapCollection, values: Mapping[str, str]) -> str:
        return f"write {self._of(collection)} with {as_said(values)} in the rows where {_bound(collection)}"

    def _read(self, collection: MapCollection, condition: str) -> str:
        fixed = "".join(f" and {name} = {value!r}" for name, value in (collection.where or {}).items())
        return f"read {self._of(collection)} where {condition}{fixed}{_until(collection)}"

    def _of(self, collection: MapCollection) -> str:
        return ", ".join(self._files[collection.name])


def _bound(collection: MapCollection) -> str:
    key = collection.primary_key
    slots = ", ".join(f":{name}" for name in key)
    same = f"{key[0]} in ({slots}, ...)" if len(key) == 1 else f"({', '.join(key)}) in (({slots}), ...)"
    return same + _until(collection)


def _until(collection: MapCollection) -> str:
    created = collection.created_at
    return f" and {created.field} is no later than :cut_off" if created else ""
