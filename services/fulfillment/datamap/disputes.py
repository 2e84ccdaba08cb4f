"""Corrections: the column that a person's own words name, and what it should hold.

A business weighs what it knows before it believes a correction (11 CCR 7023(b)). It has done so for the columns whose
`corrected_as` it wrote into the map: there the person's word is enough. Everything else is a person's to weigh.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

from services.fulfillment.datamap.model import DataMap, MapCollection, MapField
from services.fulfillment.datamap.spelling import is_spelling_of
from shared.privacy.claims import Correction

Disputed: TypeAlias = Mapping[str, Mapping[str, Correction]]
"""By collection and column, what is wrong with it."""

_KINDS: Mapping[type, Callable[[str], Any]] = {
    str: str,
    bool: lambda text: {"true": True, "1": True, "false": False, "0": False}[text.lower()],
    int: int,
    float: float,
    Decimal: Decimal,
    date: date.fromisoformat,
    UUID: UUID,
}
"""The kinds of values that a person's words can be."""


class HoldsAnotherError(Exception):
    """A value is neither the disputed one nor what it should be; the reason quotes none of them."""


class CannotHoldError(Exception):
    """What it should be is no value of the kind that stands there; the reason quotes neither."""


def corrigible(collection: MapCollection) -> tuple[MapField, ...]:
    """The columns that are corrected at a person's word."""
    return tuple(field for field in collection.fields.values() if field.corrected_as)


def said_of_corrections(datamap: DataMap) -> str:
    """What a check says of them."""
    collections = datamap.collections.values()
    named = ", ".join(f"{each.name}.{field.name}" for each in collections for field in corrigible(each))
    if not named:
        return "a correction is a person's to make: the map has no corrected_as"
    return f"a correction of {named} is made at the person's word; any other is a person's to make"


def notes_of(datamap: DataMap) -> tuple[str, ...]:
    """What a check notes of the map: its warnings, and what is corrected at a person's word."""
    some = any(map(corrigible, datamap.collections.values()))
    return (*datamap.warnings, *([said_of_corrections(datamap)] if some else []))


def disputed(datamap: DataMap, corrections: Sequence[Correction]) -> Disputed | str:
    """What is to be changed where, or why a person has to look: all of it is done by itself, or nothing."""
    if not corrections:
        return "the request does not say what is wrong"
    if any(one.statement for one in corrections):
        return "a statement of dispute has to be kept with the data, which a person does"
    found: dict[str, dict[str, Correction]] = {}
    unnamed = 0
    for one in corrections:
        places = list(_named(datamap, one.what))
        # Where one of several columns is too short for it, none is set: they would contradict each other.
        unnamed += not (places and all(_fits(field, one.should_be) for _, field in places))
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


def put_right(field: MapField, value: Any, one: Correction) -> Any:
    """What a wrong value has to become, in its own kind; None where it is right.

    Where nothing is held nothing is wrong, and nothing is collected.

    Raises:
        HoldsAnotherError: the person says what is wrong with it, and it holds something else.
        CannotHoldError: the value is of a kind that what is said is not.
    """
    if value is None or value == "" or _is(field, value, one.should_be):
        return None
    if one.is_now is not None and not _is(field, value, one.is_now):
        raise HoldsAnotherError("holds neither what is disputed nor what it should be")
    right = _in_kind(value, one.should_be)
    if right is None:
        raise CannotHoldError("holds values of another kind than what it should be")
    return right


def _is(field: MapField, value: Any, said: str) -> bool:
    spelt = field.match == "digits" and is_spelling_of(value, said, "digits")
    return spelt or str(value) == said or _in_kind(value, said) == value


def _in_kind(value: Any, said: str) -> Any:
    """What is said, as the kind of value that stands there; None where it is none of that kind."""
    kind = _KINDS.get(type(value))
    try:
        return kind(said) if kind else None
    except (ValueError, ArithmeticError, KeyError):
        return None


def uncorrectable(datamap: DataMap, collection: MapCollection) -> Iterator[str]:
    """Columns that no word of a person may change by itself."""
    place = f"collections.{collection.name}.fields"
    places = (place for one in datamap.references for place in (one.holder, one.referenced))
    linked = {place.field for place in places if place.collection == collection.name}
    for field in corrigible(collection):
        if why := _why_not(collection, field, linked):
            yield f"{place}.{field.name}: corrected_as: {why}"
    words = [_plain(word) for field in corrigible(collection) for word in field.corrected_as]
    for word in sorted({word for word in words if words.count(word) > 1}):
        yield f"{place}: corrected_as: {word!r} names two columns; nobody could tell which is meant"


def _why_not(collection: MapCollection, field: MapField, linked: Container[str]) -> str | None:
    flags = {flag.field for flag in (collection.opt_out, collection.limit) if flag}
    created = {collection.created_at.field} if collection.created_at else set()
    reasons = {
        "a key or identity is what the person is found by; a person weighs such a change (11 CCR 7060(h))": bool(
            field.primary_key or field.identity
        ),
        "it leads from one row to another, and would lead to somebody else's": field.name in linked,
        "a value that is never shown cannot be read back": field.withheld is not None,
        "a digest is of an identity, which a person weighs": field.match == "sha256",
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
