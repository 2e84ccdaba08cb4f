"""On which days a vendor got data, and what concerned it for that: read off the dates in its file.

A class holds from one day to another: a contract begins and ends, data begins and ceases to flow.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from services.fulfillment.domain.catalogue import Span
from services.fulfillment.vendors.classification import Classified, classify
from services.fulfillment.vendors.files import Vendor
from shared.policy.rights import Right

DAY = timedelta(days=1)
# Of what was erased nothing can be deleted or put right; whom it was passed on to is told of opt-outs all the same.
GONE_WITH_THE_DATA = frozenset({Right.DELETE, Right.CORRECT})
LONG_AGO = date(1970, 1, 1)


def spans_of(vendor: Vendor) -> tuple[Span, ...]:
    """Every stretch of days on which the same rights concerned it, but those on which none did."""
    changes = sorted(set(first_days_of_change(vendor)))
    firsts, lasts = [None, *changes], [*(day - DAY for day in changes), None]
    less = GONE_WITH_THE_DATA if vendor.erased else frozenset[Right]()
    found = (
        Span(classify(vendor, first or last or LONG_AGO).rights - less, first, last)
        for first, last in zip(firsts, lasts, strict=True)
    )
    return tuple(span for span in found if span.rights)


def told_of_today(one: Classified, today: date) -> frozenset[Right]:
    """What it would be told of for a request that comes today."""
    spans = (*spans_of(one.vendor), *one.earlier)
    return frozenset(right for span in spans for right in span.rights if span.concerns(right, today, today))


def first_days_of_change(vendor: Vendor) -> Iterator[date]:
    """The days on which a contract or a flow begins, or has just ended."""
    if vendor.contract:
        yield vendor.contract.signed_on
        yield from (vendor.contract.ends_on + DAY,) if vendor.contract.ends_on else ()
    for flow in vendor.flows:
        yield from (flow.began_on,) if flow.began_on else ()
        yield from (flow.ended_on + DAY,) if flow.ended_on else ()
