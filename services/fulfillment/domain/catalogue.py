"""The systems of each business as the rules see them: what they can do, and which identifiers they know.

A vendor that is told over Kafka is a system that nobody reaches into: what it did is known by its own word.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from shared.policy.rights import Right
from shared.privacy.claims import Language

AUTOMATED = frozenset({Right.KNOW_SPECIFIC, Right.KNOW_CATEGORIES, Right.DELETE, Right.OPT_OUT, Right.LIMIT})
OPT_OUTS = frozenset({Right.OPT_OUT, Right.LIMIT})
PROVABLE = frozenset({"email"})
"""What verification proves; every other identifier has to come from the business's own records."""

SHARED_KINDS = frozenset({"phone", "phone_number"})
"""Identifiers that a household shares: looked up only where a system finds by nothing else."""


@dataclass(frozen=True, slots=True)
class Period:
    """From a request's receipt to now: who got data meanwhile is told as well."""

    received_at: datetime
    now: datetime

    @property
    def days(self) -> tuple[date, date]:
        """The days that it touches; where the business is, the first may still have been the day before."""
        return self.received_at.date() - timedelta(days=1), self.now.date()


@dataclass(frozen=True, slots=True)
class Span:
    """Days on which a vendor got data, both included, and the rights that concern it for that; None is without end."""

    rights: frozenset[Right]
    first: date | None = None
    last: date | None = None

    def concerns(self, right: Right, since: date, today: date) -> bool:
        """Whether a request that came on one day and is acted on today is told.

        Opt-outs go to those who got data after the request (11 CCR 7026(f)(2), 7027(g)), deletions and corrections to
        whoever got any before (7022(b), 7023(c)).
        """
        began = self.first is None or self.first <= today
        went_on = right not in OPT_OUTS or self.last is None or self.last >= since
        return right in self.rights and began and went_on


@dataclass(frozen=True, slots=True)
class SystemEntry:
    """One connected system: it finds rows by the kinds in `finds_by` and can tell those in `knows`.

    What is `told` is a vendor, which knows people by the kinds in `finds_by`, and got data in `spans`. What `proves`
    can be read back: it is looked at again after a deletion. `categories` are the statute's that it holds; None where
    that is not known.
    """

    name: str
    business: str
    rights: frozenset[Right]
    finds_by: frozenset[str] = PROVABLE
    knows: frozenset[str] = frozenset()
    identity_source: bool = False
    order: int = 100
    told: bool = False
    title: str = ""
    titles: Mapping[Language, str] = field(default_factory=dict)
    proves: bool = False
    categories: frozenset[str] | None = None
    spans: tuple[Span, ...] = ()

    def serves(self, right: Right, period: Period) -> bool:
        """Whether a right concerns this system; what no machine does is a person's work at every system."""
        if self.spans:
            return any(span.concerns(right, *period.days) for span in self.spans)
        return right in self.rights or (right not in AUTOMATED and not self.told)

    @property
    def needs(self) -> frozenset[str]:
        """The kinds of identifiers that somebody else must tell it."""
        return self.finds_by if self.finds_by <= SHARED_KINDS else self.finds_by - PROVABLE - SHARED_KINDS


Entries = tuple[SystemEntry, ...]


class Catalogue:
    """Which systems there are; fixed while the service runs."""

    def __init__(self, entries: Iterable[SystemEntry]) -> None:
        self._entries = tuple(sorted(entries, key=lambda entry: (entry.order, entry.name)))

    def serving(self, business: str, right: Right, period: Period) -> tuple[SystemEntry, ...]:
        """The systems to ask for a right, in their order."""
        return tuple(e for e in self._entries if e.business == business and e.serves(right, period))

    def to_be_told_too(self, asked: Iterable[str], business: str, right: Right, period: Period) -> Entries:
        """The vendors that got data while a request ran, after the others were asked."""
        already = set(asked)
        serving = self.serving(business, right, period)
        return tuple(entry for entry in serving if entry.told and entry.name not in already)

    def knows(self, business: str, *, system: str | None = None) -> bool:
        """Whether there is such a business, or such a system or vendor of it."""
        return any(e.business == business and system in (None, e.name) for e in self._entries)

    def may_hold(self, business: str, system: str, category: str) -> bool:
        """Whether a system holds a category as far as is known; of one whose categories are not known, it does."""
        return any(
            e.business == business and e.name == system and (e.categories is None or category in e.categories)
            for e in self._entries
        )

    def holds_category(self, business: str, category: str) -> bool:
        """Whether a system of the business is known to hold it."""
        return any(e.business == business and category in (e.categories or ()) for e in self._entries)

    def titled(self, name: str) -> dict[str, Any]:
        """The system's name as people know it, also in other languages; empty where it is not connected any more."""
        found = next((entry for entry in self._entries if entry.name == name), None)
        return {"title": found.title, "titles": dict(found.titles)} if found else {"title": "", "titles": {}}

    def to_match(self, business: str, right: Right, period: Period) -> dict[str, tuple[str, ...]]:
        """The identity sources that know what other systems need, and the kinds to ask each of them for."""
        serving = self.serving(business, right, period)
        wanted = {
            source.name: frozenset().union(*(e.needs for e in serving if e != source)) & source.knows
            for source in self._entries
            if source.business == business and source.identity_source
        }
        return {name: tuple(sorted(kinds)) for name, kinds in wanted.items() if kinds}

    def proves(self, business: str, system: str) -> bool:
        """Whether a system can be looked at again; one that was disconnected cannot."""
        return any(e.proves for e in self._entries if e.business == business and e.name == system)

    def out_of_reach(self) -> tuple[str, ...]:
        """Systems in which a verified person is never found: no e-mail, no source for what they need."""
        known: dict[str, frozenset[str]] = {}
        for entry in self._entries:
            if entry.identity_source:
                known[entry.business] = known.get(entry.business, frozenset()) | entry.knows
        return tuple(
            entry.name
            for entry in self._entries
            if not entry.finds_by & (PROVABLE | known.get(entry.business, frozenset()))
        )
