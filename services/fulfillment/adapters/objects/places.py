"""Which place a system file means, and which files in it belong to which collection."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from services.fulfillment.adapters.objects.bucket import Bucket
from services.fulfillment.adapters.objects.failures import Failure
from services.fulfillment.adapters.objects.folder import Folder
from services.fulfillment.adapters.objects.store import Store
from services.fulfillment.buckets import (
    NO_PLACE,
    SECRETS,
    SECRETS_WANTED,
    SETTINGS,
    account_of,
    place_of,
)
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import System

SUFFIXES = frozenset({".csv", ".jsonl", ".ndjson", ".parquet"})
_SETTINGS = SETTINGS | {"delimiter"}
FILES = "files."


def read_patterns(system: System) -> Mapping[str, tuple[str, ...]]:
    """The patterns of each collection's files.

    Raises:
        MapError: the system file says something that is not understood, or a collection has no key.
    """
    collections = system.datamap.collections
    named = {
        name.removeprefix(FILES): str(value)
        for name, value in system.settings.items()
        if name.startswith(FILES)
    }
    if problems := [f"{system.system}: {problem}" for problem in _problems(system, named)]:
        raise MapError(tuple(problems))
    return {name: _patterns(named.get(name, f"{name}.*, {name}/*")) for name in collections}


def open_store(system: System) -> Store:
    """The folder or bucket of a system, its address and keys read anew.

    Raises:
        Failure: the address is none of a folder or a bucket.
        SecretMissingError: a secret is not there.
    """
    place = place_of(system.address())
    if place is None:
        raise Failure("credentials", NO_PLACE)
    return Folder(place) if isinstance(place, Path) else Bucket(account_of(system, place))


def files_of(system: System) -> str:
    """Which files are looked into, in plain words.

    Raises:
        MapError: the system file cannot be used with this map.
    """
    patterns = read_patterns(system)
    lines = [f"  {name} in {', '.join(each)}" for name, each in patterns.items()]
    return (
        "\n".join(["Look into files (CSV, JSONL, Parquet), and write anew those that are touched", *lines])
        + "\n"
    )


def belongs(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a file is one of a collection's; `*` goes through folders."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def is_hidden(name: str) -> bool:
    """Marks such as _SUCCESS and .crc are nobody's data."""
    return any(part.startswith((".", "_")) for part in PurePosixPath(name).parts)


def _patterns(stated: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in stated.split(",") if each.strip())


def _problems(system: System, named: Mapping[str, str]) -> Iterator[str]:
    yield from _problems_of_file(system)
    for name in sorted(set(named) - set(system.datamap.collections)):
        yield f"settings.{FILES}{name}: the map has no collection {name!r}"
    for collection in system.datamap.collections.values():
        if not collection.primary_key:
            yield f"dataset: collections.{collection.name}: no field is a primary_key, by which a row is known"


def _problems_of_file(system: System) -> Iterator[str]:
    if system.url is None:
        yield "url: is needed"
    for name in sorted(system.settings):
        if name not in _SETTINGS and not name.startswith(FILES):
            yield f"settings.{name}: unknown; known: {FILES}COLLECTION, {', '.join(sorted(_SETTINGS))}"
    if system.secrets and set(system.secrets) != SECRETS:
        yield SECRETS_WANTED
