"""From a system file to its adapter; what the file may say, and nothing else."""

from collections.abc import Iterator, Mapping

from services.fulfillment.adapters.search.store import SearchStore
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import Adapter
from services.fulfillment.rowwise.adapter import RowAdapter
from services.fulfillment.rowwise.completeness import COMPLETE, problems_of_complete
from shared.clock import Clock, SystemClock

INDEX = "index."
SECRETS: tuple[frozenset[str], ...] = (frozenset(), frozenset({"user", "password"}), frozenset({"api_key"}))


def open_adapter(system: System, clock: Clock | None = None) -> Adapter:
    """Make the adapter of one system; nothing is connected until it is asked something.

    Raises:
        MapError: the system file cannot be used with this map; every problem is named.
    """
    if problems := tuple(f"{system.system}: {problem}" for problem in _problems(system)):
        raise MapError(problems)
    return RowAdapter(system, SearchStore(system, indices(system)), clock or SystemClock())


def indices(system: System) -> Mapping[str, str]:
    """Each collection's index, alias or pattern; without a word its own name."""
    return {name: str(system.settings.get(f"{INDEX}{name}", name)) for name in system.datamap.collections}


def _problems(system: System) -> Iterator[str]:
    if system.url is None:
        yield "url: is needed"
    known = {f"{INDEX}{name}" for name in system.datamap.collections}
    for name in sorted(set(system.settings) - known - {COMPLETE}):
        yield f"settings.{name}: unknown; known: {INDEX}COLLECTION, {COMPLETE}"
    yield from problems_of_complete(system)
    if frozenset(system.secrets) not in SECRETS:
        yield "secrets: name user and password, or api_key, or nothing"
    for collection in system.datamap.collections.values():
        if not collection.primary_key:
            yield f"dataset: collections.{collection.name}: no field is a primary_key; _id always can be"
