"""Corrections: the column that a person's own words name, and what it should hold.

A business weighs what it knows before it believes a correction (11 CCR 7023(b)). It has done so for the columns whose
`corrected_as` it wrote into the map: there the person's word is enough. Everything else is a person's to weigh.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from services.fulfillment.datamap.model import DataMap, MapCollection, MapField
from services.fulfillment.datamap.spelling import is_spelling_of
from shared.privacy.claims import Correction

Disputed: TypeAlias = Mapping[str, Mapping[str, Correction]]
"""By collection and column, what is wrong with it."""


class HoldsAnotherError(Exception):
    """A value is neither the disputed one nor what it should be; the reason quotes none of them."""


def corrigible(collection: MapCollection) -> tuple[MapField, ...]:
    """The columns that are corrected at a person's word."""
    return tuple(field for field in collection.fields.values() if field.corrected_as)


def disputed(datamap: DataMap, corrections: Sequence[Correction]) -> Disputed | str:
    """What is to be changed where, or why a person has to look: all of it is done by itself, or nothing."""
    if not corrections:
        return "the request does not say what is wrong"
    if any(one.statement for one in corrections):
        return "a statement of dispute has to be kept with the data, which a person does"
    found: dict[str, dict[str, Correction]] = {}
    unnamed = 0
    for one in corrections:
        places = [place for place in _named(datamap, one.what) if _fits(place[1], one.should_be)]
        unnamed += not places
        for collection, field in places:
            stated = found.setdefault(collection, {}).setdefault(field.name, one)
            if (stated.should_be, stated.is_now) != (one.should_be, one.is_now):
                return "two corrections name the same column"
    if unnamed:
        return f"{unnamed} of {len(corrections)} corrections name nothing that the map lets be corrected by itself"
    return found


def to_change(datamap: DataMap, corrections: Sequence[Correction]) -> Disputed:
    """What is to be changed where; nothing where a person has to look."""
    found = disputed(datamap, corrections)
    return {} if isinstance(found, str) else found


def differs(field: MapField, value: Any, one: Correction) -> bool:
    """Whether a value is still the wrong one; where nothing is held nothing is wrong, and nothing is collected.

    Raises:
        HoldsAnotherError: the person says what is wrong with it, and it holds something else.
    """
    if value is None or value == "" or _is(field, value, one.should_be):
        return False
    if one.is_now is not None and not _is(field, value, one.is_now):
        raise HoldsAnotherError("holds neither what is disputed nor what it should be")
    return True


def _is(field: MapField, value: Any, said: str) -> bool:
    return str(value) == said or (field.match == "digits" and is_spelling_of(value, said, "digits"))


def uncorrectable(collection: MapCollection) -> Iterator[str]:
    """Columns that no word of a person may change by itself."""
    place = f"collections.{collection.name}.fields"
    for field in corrigible(collection):
        if why := _why_not(collection, field):
            yield f"{place}.{field.name}: corrected_as: {why}"
    words = [_plain(word) for field in corrigible(collection) for word in field.corrected_as]
    for word in sorted({word for word in words if words.count(word) > 1}):
        yield f"{place}: corrected_as: {word!r} names two columns; nobody could tell which is meant"


def _why_not(collection: MapCollection, field: MapField) -> str | None:
    flags = {flag.field for flag in (collection.opt_out, collection.limit) if flag}
    created = {collection.created_at.field} if collection.created_at else set()
    reasons = {
        "a key or identity is what the person is found by; a person weighs such a change (11 CCR 7060(h))": bool(
            field.primary_key or field.identity
        ),
        "a value that is never shown cannot be read back": field.withheld is not None,
        "the column is read-only": field.read_only,
        "the column bounds or flags the row": field.name in flags | created | set(collection.where or {}),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _named(datamap: DataMap, what: str) -> Iterator[tuple[str, MapField]]:
    for collection in datamap.collections.values():
        for field in corrigible(collection):
            if _plain(what) in map(_plain, field.corrected_as):
                yield collection.name, field


def _fits(field: MapField, should_be: str) -> bool:
    return field.length is None or len(should_be) <= field.length


def _plain(words: str) -> str:
    return " ".join(words.replace("_", " ").casefold().split())
