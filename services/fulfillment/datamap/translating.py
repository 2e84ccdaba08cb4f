"""What an answer says of a map in words, and whether each language that people are answered in has them."""

from collections.abc import Iterator
from typing import Final, get_args

from services.fulfillment.datamap.model import DataMap, MapField
from shared.privacy.claims import Language

WRITTEN_IN: Final[Language] = "en"
"""The language of what the map says by itself."""

OTHERS: Final = tuple(each for each in get_args(Language) if each != WRITTEN_IN)
NAMED: Final = 5
UNKNOWN: Final = "?"


def lacking_words(datamap: DataMap) -> Iterator[str]:
    """What would stand in an answer as it is, in the middle of another language."""
    phrases, names = dict.fromkeys(_phrases(datamap)), set(_names(datamap))
    for language in OTHERS:
        known = datamap.words.get(language, {})
        missing = [repr(phrase) for phrase in phrases if phrase not in known]
        if missing:
            more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
            said = ", ".join(missing[:NAMED])
            yield f"meta.habeas.words.{language}: no words for {said}{more}; answers show them as they are"
    for language, known in datamap.words.items():
        for phrase in sorted(known.keys() - phrases.keys() - names):
            yield f"meta.habeas.words.{language}: nothing in the map is called {phrase!r}"


def _phrases(datamap: DataMap) -> Iterator[str]:
    for collection in datamap.collections.values():
        for field in collection.fields.values():
            yield from _said_of(field)


def _said_of(field: MapField) -> Iterator[str]:
    told = field.provenance
    # What a draft leaves open is asked for in the person's own language first: `systems coverage` names it.
    yield from (words for words in (told.source, told.purpose) if words not in {None, UNKNOWN})
    yield from (*told.disclosed_to, *told.sold_or_shared_to)


def _names(datamap: DataMap) -> Iterator[str]:
    for collection in datamap.collections.values():
        yield collection.name
        yield from collection.fields
