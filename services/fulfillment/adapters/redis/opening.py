"""From a system file to its adapter: which keys are a collection's rows, and what a map may say of them."""

from collections.abc import Iterator, Mapping

from services.fulfillment.adapters.redis.patterns import Pattern
from services.fulfillment.datamap.model import MapCollection, MapError
from services.fulfillment.datamap.systems import System
from services.fulfillment.datamap.unknown import unknown_names
from services.fulfillment.ports import Adapter
from services.fulfillment.rowwise.adapter import RowAdapter
from services.fulfillment.rowwise.completeness import COMPLETE, problems_of_complete
from shared.clock import Clock, SystemClock

KEYS = "keys."
MEMBERS = "members."
MEMBER = "member"


def open_adapter(system: System, clock: Clock | None = None) -> Adapter:
    """Make the adapter of one system; nothing is connected until it is asked something.

    Raises:
        MapError: the system file cannot be used with this map, or the client library is not installed.
    """
    if problems := tuple(f"{system.system}: {problem}" for problem in _problems(system)):
        raise MapError(problems)
    try:
        from services.fulfillment.adapters.redis.store import RedisStore
    except ModuleNotFoundError:
        raise MapError(
            (f"{system.system}: kind redis needs its client: pip install 'habeas[redis]'",)
        ) from None
    store = RedisStore(system, patterns(system, KEYS), patterns(system, MEMBERS))
    return RowAdapter(system, store, clock or SystemClock())


def patterns(system: System, prefix: str) -> Mapping[str, Pattern]:
    """The patterns that `settings` names, by collection."""
    named = {name: str(value) for name, value in system.settings.items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): Pattern(value) for name, value in named.items()}


def keys_of(system: System) -> str:
    """Which keys are looked into, in plain words."""
    keys, members = patterns(system, KEYS), patterns(system, MEMBERS)
    lines = [f"  {name}: each key {each.text}" for name, each in sorted(keys.items())]
    lines += [f"  {name}: each member of {each.text}" for name, each in sorted(members.items())]
    return "\n".join(["Look through keys", *lines]) + "\n"


def _problems(system: System) -> Iterator[str]:
    if system.url is None:
        yield "url: is needed"
    known = {f"{prefix}{name}" for name in system.datamap.collections for prefix in (KEYS, MEMBERS)}
    for name in sorted(set(system.settings) - known - {COMPLETE}):
        yield f"settings.{name}: unknown; known: {KEYS}COLLECTION, {MEMBERS}COLLECTION, {COMPLETE}"
    yield from unknown_names(system, settings=system.settings)
    yield from problems_of_complete(system)
    keys, members = patterns(system, KEYS), patterns(system, MEMBERS)
    for name, collection in sorted(system.datamap.collections.items()):
        if (name in keys) == (name in members):
            yield f"settings: name either {KEYS}{name} or {MEMBERS}{name}, the pattern of its keys"
        elif name in keys:
            yield from _misnamed(collection, set(keys[name].columns))
        else:
            yield from _misnamed(collection, {*members[name].columns, MEMBER})
            yield from _immutable(collection)


def _misnamed(collection: MapCollection, wanted: set[str]) -> Iterator[str]:
    if set(collection.primary_key) != wanted:
        listed = ", ".join(sorted(wanted)) or "a column in the pattern, such as {id}"
        yield f"dataset: collections.{collection.name}: its primary_key must be {listed}: what its key is made of"


def _immutable(collection: MapCollection) -> Iterator[str]:
    if collection.deidentified or collection.opt_out or collection.limit:
        yield f"dataset: collections.{collection.name}: a member can be erased or kept, and not changed"
