"""Vendors as their files describe them, for tests that care about one thing in them."""

from datetime import date
from typing import Any

from services.fulfillment.vendors.classification import Classified, classify
from services.fulfillment.vendors.files import Vendor
from services.fulfillment.vendors.terms import CERTIFICATION, SERVICE_PROVIDER, THIRD_PARTY

TODAY = date(2026, 11, 20)
TERMS_OF = {
    "service_provider": SERVICE_PROVIDER,
    "contractor": (*SERVICE_PROVIDER, CERTIFICATION),
    "third_party": THIRD_PARTY,
}
WORKS = {"service_provider": "for_us", "contractor": "with_access", "third_party": "by_itself"}


def a_contract(
    calls_it: str = "service_provider", *, without: str | None = None, **more: Any
) -> dict[str, Any]:
    """A contract that holds every term of what it calls the vendor, but for one."""
    names = [term.name for term in TERMS_OF[calls_it] if term.name != without]
    return {
        "calls_it": calls_it,
        "signed_on": "2026-01-02",
        "document": "contracts/1",
        "terms": {name: f"section {place}" for place, name in enumerate(names, 100)},
        **more,
    }


def a_flow(purpose: str = "services_for_us", **more: Any) -> dict[str, Any]:
    return {"data": ["identifiers"], "purpose": purpose, **more}


def a_vendor(calls_it: str = "service_provider", **changed: Any) -> Vendor:
    """A vendor that is what its contract calls it, unless something is changed."""
    return Vendor.model_validate(
        {
            "vendor": "acme-mail",
            "title": "Acme Mail",
            "business": "cascadia",
            "does": "Prints and posts our letters.",
            "works": WORKS[calls_it],
            "flows": [a_flow()],
            "contract": a_contract(calls_it),
            "told": {"by": "kafka", "identifiers": [{"kind": "email", "form": "sha256"}]},
            **changed,
        }
    )


def classed(calls_it: str = "service_provider", **changed: Any) -> Classified:
    return classify(a_vendor(calls_it, **changed), TODAY)
