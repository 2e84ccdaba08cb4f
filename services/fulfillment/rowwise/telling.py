"""What a store without SQL would be asked, as text and without a value: the frame that its own words are put into.

Nothing is connected. A value is told as `:` and what it is; only the map's own constants are told as they are.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.disputes import corrigible
from services.fulfillment.datamap.flags import FLAG_RIGHTS, flag_of
from services.fulfillment.datamap.graph import deletion_order, map_links, plan_walk
from services.fulfillment.datamap.model import DataMap, MapCollection, MapField
from services.fulfillment.datamap.replacing import constant, strategy
from services.fulfillment.datamap.spelling import sought

_NUMBER: Final = "70707070707"
_BETWEEN: Final = ("", r"\D*", r"\\D*", "[^0-9]*")
"""What conditions put between a number's digits."""


@dataclass(frozen=True, slots=True)
class Masked:
    """Somebody of whom only the kind is known: what a builder of conditions is given, and how its words are told."""

    kind: str
    match: Match

    @property
    def seed(self) -> str:
        return _NUMBER if self.match == "digits" else f":{self.kind}"

    def told(self, text: str) -> str:
        """The text with the kind where the identifier would stand."""
        if self.match == "digits":
            for between in _BETWEEN:
                text = text.replace(between.join(_NUMBER), f":{self.kind}")
            return text
        if self.match == "sha256":
            return text.replace(sought(self.seed, "sha256"), f":sha256_of_{self.kind}")
        return text


class Words(Protocol):
    """One kind of store's own words."""

    asking: str
    deleting: str
    flagging: str
    correcting: str

    def matching(self, collection: MapCollection, column: str, who: Masked) -> str:
        """How rows are asked for by an identifier."""
        ...

    def having(self, collection: MapCollection, column: str) -> str:
        """How rows are asked for by the values of other rows."""
        ...

    def erase(self, collection: MapCollection) -> str:
        """How one row, or a chunk of them, goes."""
        ...

    def change(self, collection: MapCollection, values: Mapping[str, str]) -> str:
        """How one row, or a chunk of them, becomes another."""
        ...


def statements(datamap: DataMap, kinds: Collection[str], words: Words) -> str:
    """Every question of a search by these kinds, and every order that may follow it."""
    lines = [words.asking, *_indented(_asking(datamap, kinds, words))]
    lines += ["", words.deleting, *_indented(_deleting(datamap, words))]
    lines += _section(words.flagging, _flagging(datamap, words))
    lines += _section(words.correcting, _correcting(datamap, words))
    return "\n".join(lines) + "\n"


def _section(title: str, orders: Iterator[str]) -> list[str]:
    told = list(_indented(orders))
    return ["", title, *told] if told else []


def _asking(datamap: DataMap, kinds: Collection[str], words: Words) -> Iterator[str]:
    plan = plan_walk(datamap, kinds)
    for seed in plan.seeds:
        collection = datamap.collections[seed.place.collection]
        yield words.matching(collection, seed.place.field, Masked(seed.kind, seed.match))
    for edge in plan.edges:
        first, *others = [column for _, column in edge.pairs]
        compared = f", of which those count whose {', '.join(others)} fits, too" if others else ""
        yield words.having(datamap.collections[edge.target], first) + compared


def _deleting(datamap: DataMap, words: Words) -> Iterator[str]:
    for name in deletion_order(datamap.collections, map_links(datamap)):
        collection = datamap.collections[name]
        if collection.treatment == "erase":
            yield words.erase(collection)
        elif collection.treatment == "deidentify":
            yield words.change(collection, {f.name: _replaced(f) for f in collection.deidentified})


def _flagging(datamap: DataMap, words: Words) -> Iterator[str]:
    for collection in datamap.collections.values():
        for right in sorted(FLAG_RIGHTS):
            if flag := flag_of(collection, right):
                yield words.change(collection, {flag.field: json.dumps(flag.value)})


def _correcting(datamap: DataMap, words: Words) -> Iterator[str]:
    """As if all columns that are corrected by themselves were disputed in one row."""
    for collection in datamap.collections.values():
        if values := {field.name: f":{field.name}" for field in corrigible(collection)}:
            yield words.change(collection, values)


def _replaced(field: MapField) -> str:
    own = strategy(field)
    return f":{own}" if own in {"keyed_hash", "random"} else json.dumps(constant(field))


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def as_said(values: Mapping[str, str]) -> str:
    """New values in a row of words."""
    return ", ".join(f"{name} = {value}" for name, value in values.items())
