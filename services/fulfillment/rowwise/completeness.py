"""Which collections are said to have every mapped column in every document: there, a lack is a changed schema."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services.fulfillment.datamap.model import MapCollection
from services.fulfillment.datamap.spelling import PERSONAL_NAME
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import Drift
from services.fulfillment.rowwise.documents import columns_in

_PERSONAL = re.compile(f"@|{PERSONAL_NAME.pattern}", re.IGNORECASE)
PLAIN_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]{0,39}")

COMPLETE = "complete"
EVERY = "*"


def complete_in(system: System) -> frozenset[str]:
    """The collections that `settings` `complete` names; `*` is all of them."""
    names = {word.strip() for word in str(system.settings.get(COMPLETE, "")).split(",") if word.strip()}
    return frozenset(system.datamap.collections) if EVERY in names else frozenset(names)


def problems_of_complete(system: System) -> Iterator[str]:
    """Names that the map does not know."""
    for name in sorted(complete_in(system) - set(system.datamap.collections)):
        yield f"settings.{COMPLETE}: the map has no collection {name!r}"


def drift_of(
    collection: MapCollection, documents: Iterable[Mapping[str, Any]], *, complete: bool
) -> Iterator[Drift]:
    """What these documents lack, and what personal they hold that the map does not name."""
    seen = [{*document, *columns_in(document)} for document in documents]
    wanted = collection.fields if complete else collection.primary_key
    missing = sorted(column for column in wanted if any(column not in each for each in seen))
    yield from (Drift(collection.name, column, "missing") for column in missing)
    found = personal_names({column for each in seen for column in each}, set(collection.fields))
    yield from (Drift(collection.name, column, "unmapped") for column in found)


def notes_of_several(collection: str, columns: Iterable[str]) -> list[str]:
    """What a person should know of rows that are several people's by a list in them."""
    told = "a row is found by each value of {}, and is shown and erased with all of them"
    return [told.format(f"{collection}.{column}") for column in sorted(columns)]


def personal_names(columns: Iterable[str], known: set[str]) -> list[str]:
    """Of these paths those that look personal and are not known, up to the name that does.

    A name inside a document may be somebody's address; what is no plain name is told as a star.
    """
    return sorted({_shown(c) for c in columns if not is_known(c, known) and _PERSONAL.search(c)})


def _shown(column: str) -> str:
    parts = column.split(".")
    first = next((n for n, part in enumerate(parts) if _PERSONAL.search(part)), len(parts) - 1)
    return ".".join(part if PLAIN_NAME.fullmatch(part) else "*" for part in parts[: first + 1])


def is_known(column: str, known: set[str]) -> bool:
    """Named, or a part of what is named, or what named ones are parts of."""
    parts = column.split(".")
    above = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
    return bool(above & known) or any(name.startswith(f"{column}.") for name in known)
