"""How an index has each field, and the query that finds a value in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.spelling import sought, telephone_spellings

_WHOLE = frozenset({"keyword", "constant_keyword", "wildcard", "flat_object", "flattened"})
_NUMBERS = frozenset({"long", "integer", "short", "byte", "unsigned_long"})
_NON_DIGITS = "[^0-9]*"

Query = dict[str, Any]


@dataclass(frozen=True, slots=True)
class IndexField:
    """One field: by which name whole values are found, of which type, and inside which nested object."""

    name: str
    kind: str
    nested: str = ""

    def within(self, query: Query) -> Query:
        """The query, asked inside the nested object if there is one."""
        return {"nested": {"path": self.nested, "query": query}} if self.nested else query


def fields_of(mappings: Mapping[str, Any]) -> dict[str, IndexField]:
    """Every field of an index, as the store describes it; of several indices the last word."""
    found: dict[str, IndexField] = {}
    for each in mappings.values():
        found |= dict(_fields(each.get("mappings", {}).get("properties", {}), "", ""))
    return found


def identity(field: IndexField | None, seed: str, match: Match) -> Query:
    """Documents in which the field may be this identity; what only resembles it is sorted out afterwards."""
    if field is None:
        return {"match_none": {}}
    if field.kind in _NUMBERS:
        spelt = telephone_spellings(seed) if match == "digits" else [sought(seed, match)]
        return equal(field, spelt)
    if field.kind not in _WHOLE:
        return field.within({"match": {field.name: {"query": sought(seed, match), "operator": "and"}}})
    return field.within(_whole(field.name, seed, match))


def equal(field: IndexField | None, values: Sequence[object]) -> Query:
    """Documents in which the field equals one of the values."""
    if field is None:
        return {"match_none": {}}
    texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    if field.kind in _NUMBERS:
        texts = [text for text in texts if text.lstrip("-").isdigit()]
    if field.kind in _WHOLE | _NUMBERS | {"boolean", "_id"}:
        return field.within({"terms": {field.name: texts}})
    return field.within({"bool": {"should": [{"match_phrase": {field.name: text}} for text in texts]}})


def _whole(name: str, seed: str, match: Match) -> Query:
    match match:
        case "lower" | "sha256":
            return {"term": {name: {"value": sought(seed, match), "case_insensitive": True}}}
        case "digits":
            ways = [_NON_DIGITS.join(each) for each in telephone_spellings(seed) if each]
            shape = f"{_NON_DIGITS}({'|'.join(ways)}){_NON_DIGITS}"
            return {"regexp": {name: {"value": shape, "flags": "NONE"}}} if ways else {"match_none": {}}
    return {"terms": {name: [seed]}}


def _fields(properties: Mapping[str, Any], above: str, nested: str) -> Iterator[tuple[str, IndexField]]:
    for name, said in properties.items():
        column, kind = f"{above}{name}", said.get("type", "object")
        if "properties" in said:
            inside = column if kind == "nested" else nested
            yield from _fields(said["properties"], f"{column}.", inside)
        else:
            yield column, _best(column, kind, said.get("fields", {}), nested)


def _best(column: str, kind: str, also: Mapping[str, Any], nested: str) -> IndexField:
    """A text that is kept whole beside its words is searched whole."""
    if kind not in _WHOLE:
        for name, said in also.items():
            if said.get("type") in _WHOLE:
                return IndexField(f"{column}.{name}", said["type"], nested)
    return IndexField(column, kind, nested)
