"""The commands that a Redis would be given: which keys, and what is done with them."""

from collections.abc import Collection, Mapping
from typing import Final

from services.fulfillment.adapters.redis.opening import KEYS, MEMBERS, patterns
from services.fulfillment.adapters.redis.patterns import Pattern
from services.fulfillment.datamap.model import MapCollection
from services.fulfillment.datamap.systems import System
from services.fulfillment.rowwise.telling import Masked, as_said, statements

_READ: Final = "HGETALL|GET|SMEMBERS|ZRANGE|LRANGE"
_WALK: Final = "SSCAN|ZSCAN|HSCAN|LRANGE"


def statements_of(system: System, kinds: Collection[str]) -> str:
    """Every command of a search by these kinds, and those of a deletion and an opt-out after it."""
    return statements(system.datamap, kinds, _Words(patterns(system, KEYS), patterns(system, MEMBERS)))


class _Words:
    asking = "Commands; what stands under a key is read as its type wants it"
    deleting = "Commands of a deletion, void if a key is written meanwhile"
    flagging = "Commands of an opt-out or a limit"
    correcting = "Commands of a correction"

    def __init__(self, keys: Mapping[str, Pattern], members: Mapping[str, Pattern]) -> None:
        self._keys = keys
        self._members = members

    def matching(self, collection: MapCollection, column: str, who: Masked) -> str:
        sought = f":sha256_of_{who.kind}" if who.match == "sha256" else f":{who.kind}"
        by_key = who.match in {"exact", "sha256"}
        return self._look(collection, column, sought, by_key=by_key) + ("" if by_key else f" ({who.match})")

    def having(self, collection: MapCollection, column: str) -> str:
        return self._look(collection, column, ":value", by_key=True)

    def erase(self, collection: MapCollection) -> str:
        if collection.name in self._members:
            key = self._members[collection.name].text
            return f"WATCH {key}; MULTI; SREM|ZREM|HDEL|LREM {key} :member; EXEC"
        key = self._keys[collection.name].text
        return f"WATCH {key}; MULTI; UNLINK {key}; EXEC"

    def change(self, collection: MapCollection, values: Mapping[str, str]) -> str:
        if collection.name in self._members:
            return f"{collection.name}: a member can be erased or kept, and not changed"
        key = self._keys[collection.name].text
        return f"WATCH {key}; MULTI; HSET|HDEL|SET {key} ...; EXEC, with {as_said(values)}"

    def _look(self, collection: MapCollection, column: str, value: str, *, by_key: bool) -> str:
        pattern = self._keys.get(collection.name)
        if pattern is not None and by_key and pattern.columns == (column,):
            key = pattern.key({column: f"{{{value.removeprefix(':')}}}"})
            return f"TYPE {key}; {_READ} {key}"
        read = _READ if pattern is not None else _WALK
        glob = (pattern or self._members[collection.name]).glob({})
        return f"SCAN 0 MATCH {glob}; TYPE and {read} of each, of which those count where {column} is {value}"
