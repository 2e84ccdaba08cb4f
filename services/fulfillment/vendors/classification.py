"""What a vendor is by law: its contract's terms decide, and never what the contract calls it.

A recipient is a service provider or contractor only if the contract meets Civ. Code 1798.140(ag) or (j), 1798.100(d)
and 11 CCR 7051(a); otherwise it is a third party (1798.140(ai)), and giving it data for money or other value is a
sale (1798.140(ad)), for cross-context behavioral advertising sharing (1798.140(ah)).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from services.fulfillment.domain.catalogue import OPT_OUTS, Span
from services.fulfillment.vendors.files import Contract, Flow, Party, Vendor
from services.fulfillment.vendors.terms import (
    CERTIFICATION,
    SERVICE_PROVIDER,
    SUBCONTRACTORS,
    THIRD_PARTY,
    Term,
)
from shared.policy.rights import Right

Disclosure: TypeAlias = Literal["sale", "sharing", "disclosure"]
NOT_FOR_US = frozenset({"cross_context_advertising", "own_purposes"})
"""What nobody does as a service provider or contractor (11 CCR 7050(a), (b))."""

WITHOUT_A_LIMIT = frozenset({"services_for_us", "security", "short_term_use", "quality"})
"""The purposes for which sensitive data may be used though the person limited its use (11 CCR 7027(m))."""

_WITHOUT_CONTRACT: Mapping[str, Party] = {
    "for_us": "service_provider",
    "with_access": "contractor",
    "by_itself": "third_party",
}


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A flow that its class does not allow; `flow` counts from 0, None where all of them are meant."""

    flow: int | None
    citation: str
    says: str


@dataclass(frozen=True, slots=True)
class Classified:
    """A vendor's class on a day, what its contract lacks for that and for the class that it was given, what is wrong.

    `flows` are those of that day, and `disclosures` what each of them is. `earlier` is what files said that were
    changed or taken away since.
    """

    vendor: Vendor
    party: Party
    missing: tuple[Term, ...]
    flows: tuple[Flow, ...]
    disclosures: tuple[Disclosure, ...]
    contradictions: tuple[Contradiction, ...]
    earlier: tuple[Span, ...] = ()

    @property
    def is_sold_to(self) -> bool:
        """Whether the person's opt-out concerns it: data is sold to it or shared with it."""
        return bool({"sale", "sharing"} & set(self.disclosures))

    @property
    def rights(self) -> frozenset[Right]:
        """What it must be told of for what it gets on this day.

        Deletions if it gets data (11 CCR 7022(b)), corrections if it holds them for us (7023(c)), opt-outs if they are
        sold to it or shared with it (7026(f)), limits besides if it uses what is sensitive for more than 7027(m) allows
        (7027(g)). A third party that gets what is sensitive, and so may tell of health, is told of what is disputed
        there (7023(f)(3)): of corrections those with a statement alone reach it.
        """
        if not self.flows:
            return frozenset()
        gets_sensitive = any("sensitive" in flow.data for flow in self.flows)
        found = {Right.DELETE}
        if self.party != "third_party" or gets_sensitive:
            found |= {Right.CORRECT}
        if self.is_sold_to:
            found |= OPT_OUTS
        if any("sensitive" in flow.data and flow.purpose not in WITHOUT_A_LIMIT for flow in self.flows):
            found |= {Right.LIMIT}
        return frozenset(found)


def party_when_it_got_data(vendor: Vendor, today: date) -> Party:
    """What it is today, or was on the last day on which data went to it."""
    days = [min(today, flow.ended_on or today) for flow in vendor.flows]
    return classify(vendor, max(days, default=today)).party


def classify(vendor: Vendor, today: date) -> Classified:
    """What this vendor is on a day."""
    flows = tuple(flow for flow in vendor.flows if flow.runs(today))
    party, lacking = _party(vendor, flows, today)
    disclosures = tuple(_disclosure(flow, party) for flow in flows)
    return Classified(
        vendor=vendor,
        party=party,
        missing=lacking,
        flows=flows,
        disclosures=disclosures,
        contradictions=tuple(_contradictions(vendor, flows, lacking)),
    )


def _party(vendor: Vendor, flows: tuple[Flow, ...], today: date) -> tuple[Party, tuple[Term, ...]]:
    """The class, and what is missing for the class that the contract claims, or else for a third party's."""
    claimed = _claimed(vendor)
    contract = _in_force(vendor.contract, today)
    lacking = _lacking(contract, _asked_of(claimed, vendor)) if flows else ()
    for_others = any(flow.purpose in NOT_FOR_US for flow in flows)
    if lacking or for_others or vendor.works == "by_itself":
        return "third_party", lacking
    return claimed, ()


def _claimed(vendor: Vendor) -> Party:
    """What the contract calls it, or what it would have to be."""
    return vendor.contract.calls_it if vendor.contract else _WITHOUT_CONTRACT[vendor.works]


def _in_force(contract: Contract | None, today: date) -> Contract | None:
    if contract is None or contract.signed_on > today:
        return None
    return None if contract.ends_on is not None and contract.ends_on < today else contract


def _asked_of(claimed: Party, vendor: Vendor) -> tuple[Term, ...]:
    if claimed == "third_party":
        return THIRD_PARTY
    more = (CERTIFICATION,) if claimed == "contractor" else ()
    return (*SERVICE_PROVIDER, *more, *((SUBCONTRACTORS,) if vendor.engages_others else ()))


def _lacking(contract: Contract | None, asked: tuple[Term, ...]) -> tuple[Term, ...]:
    return tuple(term for term in asked if contract is None or term.name not in contract.terms)


def _disclosure(flow: Flow, party: Party) -> Disclosure:
    """Sharing needs no value in return; what a service provider gets is neither sold nor shared."""
    if party != "third_party":
        return "disclosure"
    if flow.purpose == "cross_context_advertising":
        return "sharing"
    return "disclosure" if flow.in_return == "nothing" else "sale"


def _contradictions(
    vendor: Vendor, flows: tuple[Flow, ...], lacking: tuple[Term, ...]
) -> Iterator[Contradiction]:
    called = _claimed(vendor)
    for place, flow in enumerate(vendor.flows):
        yield from _of_flow(place, flow, called) if flow in flows else ()
    if called != "third_party" and vendor.works == "by_itself":
        yield Contradiction(
            None, "Civ. Code 1798.140(ag)(1)", f"it works for itself, and no {_words(called)} does"
        )
    if lacking and called != "third_party":
        yield Contradiction(
            None,
            "Civ. Code 1798.140(ag), (ai)",
            f"data goes to it as to a {_words(called)}, but {_why_not(vendor)} makes it a third party",
        )
    if lacking and called == "third_party":
        yield Contradiction(None, "11 CCR 7053", "a third party without these terms may not use the data")


def _of_flow(place: int, flow: Flow, called: Party) -> Iterator[Contradiction]:
    if called == "third_party":
        return
    if flow.purpose == "cross_context_advertising":
        yield Contradiction(
            place,
            "11 CCR 7050(b)",
            f"a {_words(called)} may not do cross-context behavioral advertising: this is sharing",
        )
    if flow.purpose == "own_purposes":
        yield Contradiction(
            place, "11 CCR 7050(a), 7051(a)(3)", f"a {_words(called)} may not use the data for itself"
        )


def _why_not(vendor: Vendor) -> str:
    return "its contract" if vendor.contract else "that there is no contract"


def _words(party: Party) -> str:
    return party.replace("_", " ")
