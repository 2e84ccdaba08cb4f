"""What a business does with each category of personal information, as its data maps and its vendors' files say."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict

from deploy.notices.ended import Ended, ended_by
from services.fulfillment.datamap.additions import StatutoryCategory
from services.fulfillment.datamap.model import MapField
from services.fulfillment.datamap.statutory import WORDS
from services.fulfillment.datamap.systems import System
from services.fulfillment.vendors.classification import Classified

SENSITIVE: Final[StatutoryCategory] = "sensitive"
# Civ. Code 1798.100(a)(1)-(3): without one of these a notice at collection says too little.
NEEDED: Final = {"source": "where it comes from", "purpose": "what for", "kept_for": "how long it is kept"}
Held = tuple[str, MapField]


class Practice(BaseModel):
    """One category: everything that a notice or a policy has to say of it."""

    model_config = ConfigDict(frozen=True)

    category: str
    words: str
    sensitive: bool
    sources: tuple[str, ...]
    purposes: tuple[str, ...]
    disclosed_to: tuple[str, ...]
    sold_or_shared_to: tuple[str, ...]
    kept_for: tuple[str, ...]
    was_disclosed_to: tuple[str, ...] = ()
    was_sold_or_shared_to: tuple[str, ...] = ()

    @property
    def sold_or_shared(self) -> bool:
        return bool(self.sold_or_shared_to)


class Practices(BaseModel):
    """A business's categories in the statute's order, and what the maps leave open."""

    model_config = ConfigDict(frozen=True)

    business: str
    practices: tuple[Practice, ...]
    gaps: tuple[str, ...]

    @property
    def sells_or_shares(self) -> bool:
        return any(one.sold_or_shared for one in self.practices)

    @property
    def sold_or_shared_before(self) -> bool:
        """Whether anything was, in the last twelve months, that is not any more."""
        return any(one.was_sold_or_shared_to for one in self.practices)

    @property
    def holds_sensitive(self) -> bool:
        return any(one.sensitive for one in self.practices)


def practices_of(
    business: str,
    systems: Iterable[System],
    vendors: Sequence[Classified] = (),
    looking_back: date | None = None,
) -> Practices:
    """What is true of all systems of the business together; a gap names the place that has to say more.

    `looking_back` from a day, what ended in the twelve months before it is told as well.
    """
    held = _held(business, systems)
    ours = [one for one in vendors if one.vendor.business == business]
    ended = ended_by(looking_back, (one.vendor for one in ours)) if looking_back else {}
    practices = tuple(
        _practice(category, held[category], ended.get(category, Ended()))
        for category in WORDS
        if category in held
    )
    known = {one.category: one for one in practices}
    gaps = [gap for category in held for gap in _gaps(category, held[category])]
    lost = [
        f"{one}: {_who(ended[one])} got it, and no map holds any"
        for one in sorted(ended.keys() - known.keys())
    ]
    return Practices(business=business, practices=practices, gaps=(*gaps, *_unsaid(known, ours), *lost))


def _held(business: str, systems: Iterable[System]) -> dict[StatutoryCategory, list[Held]]:
    held: dict[StatutoryCategory, list[Held]] = {}
    for system in systems:
        if system.business != business:
            continue
        for collection in system.datamap.collections.values():
            for field in collection.fields.values():
                if field.category:
                    place = f"{system.system}: {collection.name}.{field.name}"
                    held.setdefault(field.category, []).append((place, field))
    return held


def _practice(category: StatutoryCategory, held: Sequence[Held], ended: Ended) -> Practice:
    said = [field.provenance for _, field in held]
    return Practice(
        category=category,
        words=WORDS[category],
        sensitive=category == SENSITIVE,
        sources=_distinct(one.source for one in said),
        purposes=_distinct(one.purpose for one in said),
        disclosed_to=_distinct(to for one in said for to in one.disclosed_to),
        sold_or_shared_to=_distinct(to for one in said for to in one.sold_or_shared_to),
        kept_for=_distinct(one.kept_for for one in said),
        was_disclosed_to=ended.disclosed_to,
        was_sold_or_shared_to=ended.sold_or_shared_to,
    )


def _who(ended: Ended) -> str:
    return ", ".join((*ended.sold_or_shared_to, *ended.disclosed_to))


def _gaps(category: str, held: Sequence[Held]) -> Iterable[str]:
    for name, words in NEEDED.items():
        silent = [place for place, field in held if getattr(field.provenance, name) is None]
        if silent:
            more = f" and {len(silent) - 1} more" if len(silent) > 1 else ""
            yield f"{category}: the map does not say {words} ({name}) for {silent[0]}{more}"


def _unsaid(known: Mapping[str, Practice], vendors: Iterable[Classified]) -> Iterable[str]:
    """A vendor that data is sold to or shared with, and a map that names nobody for it."""
    for one in (each for each in vendors if each.is_sold_to):
        flows = zip(one.flows, one.disclosures, strict=True)
        for category in sorted({each for flow, kind in flows if kind != "disclosure" for each in flow.data}):
            practice = known.get(category)
            if practice is None:
                yield f"{category}: {one.vendor.vendor} gets it, and no map holds any"
            elif not practice.sold_or_shared:
                yield (
                    f"{category}: sold to or shared with {one.vendor.vendor}, and no map names anybody under "
                    "sold_or_shared_to"
                )


def _distinct(words: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({word for word in words if word}))
