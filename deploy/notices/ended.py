"""Who got data in the last twelve months and gets it no more: a policy names them all the same.

Civ. Code 1798.130(a)(5)(B), (C) and 11 CCR 7011(e)(1) ask for what was disclosed, sold and shared in the preceding 12
months, so what ended in them is told with its last day. A notice at collection (11 CCR 7012) says what is done now.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from services.fulfillment.vendors.classification import classify
from services.fulfillment.vendors.files import Vendor
from services.fulfillment.vendors.spans import first_days_of_change
from shared.policy.dates import corresponding_date

A_YEAR_BACK: Final = -12
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ended:
    """To whom one category went until some day, by what the law calls it."""

    disclosed_to: tuple[str, ...] = ()
    sold_or_shared_to: tuple[str, ...] = ()


def ended_by(today: date, vendors: Iterable[Vendor]) -> Mapping[str, Ended]:
    """By category: who got it on some day of the last twelve months, and not on this one."""
    sold, disclosed = dict[str, list[str]](), dict[str, list[str]]()
    for vendor in vendors:
        for (category, is_sale), last in _last_days(vendor, today).items():
            if last < today:
                words = f"{vendor.title} (until {last})"
                (sold if is_sale else disclosed).setdefault(category, []).append(words)
    return {
        category: Ended(tuple(sorted(disclosed.get(category, ()))), tuple(sorted(sold.get(category, ()))))
        for category in sold.keys() | disclosed.keys()
    }


def _last_days(vendor: Vendor, today: date) -> dict[tuple[str, bool], date]:
    """The last day in the year on which each category went to it, by whether that was a sale or sharing."""
    last: dict[tuple[str, bool], date] = {}
    for day in sorted(_looked_at(vendor, today)):
        found = classify(vendor, day)
        for flow, kind in zip(found.flows, found.disclosures, strict=True):
            last.update({(category, kind != "disclosure"): day for category in flow.data})
    return last


def _looked_at(vendor: Vendor, today: date) -> Iterator[date]:
    """The first and the last day of the year, and between them the last one before each change."""
    first = corresponding_date(today, A_YEAR_BACK)
    yield from (first, today)
    for change in first_days_of_change(vendor):
        yield from (day for day in (change - DAY, change) if first <= day <= today)
