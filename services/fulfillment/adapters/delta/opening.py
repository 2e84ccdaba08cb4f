"""From a system file to its adapter; what the file may say, and nothing else."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from services.fulfillment.buckets import SECRETS, SECRETS_WANTED, SETTINGS
from services.fulfillment.datamap.model import MapCollection, MapError
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import Adapter
from shared.clock import Clock, SystemClock

TABLE = "table."


def open_adapter(system: System, clock: Clock | None = None) -> Adapter:
    """Make the adapter of one system; nothing is looked at until it is asked something.

    Raises:
        MapError: the system file cannot be used with this map, or the library is not installed.
    """
    if problems := tuple(f"{system.system}: {problem}" for problem in _problems(system)):
        raise MapError(problems)
    try:
        from services.fulfillment.adapters.delta.many import LakeAdapter
        from services.fulfillment.adapters.delta.store import DeltaStore
    except ModuleNotFoundError:
        raise MapError(
            (f"{system.system}: kind delta needs its library: pip install 'habeas[delta]'",)
        ) from None
    return LakeAdapter(system, DeltaStore(system, folders(system)), clock or SystemClock())


def folders(system: System) -> Mapping[str, str]:
    """Each collection's folder below the address; without a word its own name."""
    return {name: str(system.settings.get(f"{TABLE}{name}", name)) for name in system.datamap.collections}


def _problems(system: System) -> Iterator[str]:
    if system.url is None:
        yield "url: is needed"
    known = {f"{TABLE}{name}" for name in system.datamap.collections} | SETTINGS
    yield from (
        f"settings.{name}: unknown; known: {TABLE}COLLECTION, {', '.join(sorted(SETTINGS))}"
        for name in sorted(set(system.settings) - known)
    )
    if system.secrets and set(system.secrets) != SECRETS:
        yield SECRETS_WANTED
    for name, folder in sorted(folders(system).items()):
        if PurePosixPath(folder).is_absolute() or ".." in PurePosixPath(folder).parts:
            yield f"settings.{TABLE}{name}: must lie below the address"
    for collection in system.datamap.collections.values():
        yield from _problems_of_key(collection)


def _problems_of_key(collection: MapCollection) -> Iterator[str]:
    place = f"dataset: collections.{collection.name}"
    if not collection.primary_key:
        yield f"{place}: no field is a primary_key, by which a row is known"
    for name in collection.primary_key:
        if collection.fields[name].steps:
            yield f"{place}.fields.{name}: is nested, and cannot be a primary_key: name a column of the table"
