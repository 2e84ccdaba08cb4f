"""From a system file to its adapter; what the file may say, and nothing else."""

from collections.abc import Iterator

from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import System
from services.fulfillment.datamap.unknown import unknown_names
from services.fulfillment.ports import Adapter
from services.fulfillment.rowwise.adapter import RowAdapter
from services.fulfillment.rowwise.completeness import COMPLETE, problems_of_complete
from shared.clock import Clock, SystemClock


def open_adapter(system: System, clock: Clock | None = None) -> Adapter:
    """Make the adapter of one system; nothing is connected until it is asked something.

    Raises:
        MapError: the system file cannot be used with this map, or the client library is not installed.
    """
    if problems := tuple(f"{system.system}: {problem}" for problem in _problems(system)):
        raise MapError(problems)
    try:
        from services.fulfillment.adapters.mongodb.store import MongoStore
    except ModuleNotFoundError:
        raise MapError(
            (f"{system.system}: kind mongodb needs its client: pip install 'habeas[mongodb]'",)
        ) from None
    return RowAdapter(system, MongoStore(system), clock or SystemClock())


def _problems(system: System) -> Iterator[str]:
    if system.url is None:
        yield "url: is needed"
    yield from unknown_names(system, settings={COMPLETE})
    yield from problems_of_complete(system)
    for collection in system.datamap.collections.values():
        if not collection.primary_key:
            yield f"dataset: collections.{collection.name}: no field is a primary_key; _id always can be"
