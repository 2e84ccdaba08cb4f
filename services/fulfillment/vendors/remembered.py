"""How vendors were described before: a file that was changed or taken away does not undo what was given.

Fulfillment notes at each start how every vendor is described. What a description said counts until the day on which it
was last true, so that whoever got data after a request was received is told of it (11 CCR 7026(f)(2)).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby

import asyncpg
import structlog
from pydantic import ValidationError

from services.fulfillment.domain.catalogue import Span
from services.fulfillment.vendors.classification import Classified, classify
from services.fulfillment.vendors.files import Erased, OverKafka, Vendor
from services.fulfillment.vendors.spans import spans_of

log = structlog.get_logger("vendors")

# Instances that start at once note one after the other.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('described_vendors'))"
_OVER = """
UPDATE described_vendors SET last_true_at = $3 WHERE last_true_at IS NULL AND NOT EXISTS (
  SELECT FROM unnest($1::text[], $2::text[]) AS given (vendor, description)
  WHERE given.vendor = described_vendors.vendor AND given.description = described_vendors.description)"""
_NEW = """
INSERT INTO described_vendors (vendor, description)
SELECT given.vendor, given.description FROM unnest($1::text[], $2::text[]) AS given (vendor, description)
WHERE NOT EXISTS (
  SELECT FROM described_vendors known WHERE known.vendor = given.vendor AND known.last_true_at IS NULL)"""
_EARLIER = """
SELECT vendor, description, last_true_at FROM described_vendors
WHERE last_true_at IS NOT NULL ORDER BY vendor, last_true_at"""


@dataclass(frozen=True, slots=True)
class Described:
    """A vendor as its file said until a day."""

    vendor: Vendor
    until: date


async def remember(pool: asyncpg.Pool, vendors: Sequence[Vendor], now: datetime) -> tuple[Described, ...]:
    """Note how each is described from now on; how they were described before, the newest last."""
    names, texts = [one.vendor for one in vendors], [one.model_dump_json() for one in vendors]
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_ONE_AT_A_TIME)
        await connection.execute(_OVER, names, texts, now)
        await connection.execute(_NEW, names, texts)
        rows = await connection.fetch(_EARLIER)
    return tuple(_described(rows))


def with_what_was(
    now: Sequence[Classified], before: Iterable[Described], today: date
) -> tuple[Classified, ...]:
    """The vendors as they are told: with what their files said before, and those whose file is gone."""
    known = {one.vendor.vendor: one for one in now}
    ordered = sorted(before, key=lambda one: (one.vendor.vendor, one.until))
    for name, group in groupby(ordered, key=lambda one: one.vendor.vendor):
        earlier = list(group)
        gone = classify(earlier[-1].vendor.model_copy(update={"flows": ()}), today)
        current = known.get(name, gone)
        erased = current.vendor.erased
        spans = (span for one in earlier for span in _until(one, erased))
        known[name] = replace(current, earlier=tuple(dict.fromkeys(spans)))
    return tuple(known[name] for name in sorted(known))


def over_kafka(before: Iterable[Described], reached: Collection[str]) -> tuple[Described, ...]:
    """Those that were told over Kafka, and are not reached in another way by now."""
    return tuple(
        one for one in before if isinstance(one.vendor.told, OverKafka) and one.vendor.vendor not in reached
    )


def _until(one: Described, erased: Erased | None) -> Iterator[Span]:
    """What was erased since was erased whatever the file said then."""
    for span in spans_of(one.vendor if erased is None else one.vendor.model_copy(update={"erased": erased})):
        if span.first is None or span.first <= one.until:
            yield replace(span, last=one.until if span.last is None else min(span.last, one.until))


def _described(rows: Iterable[asyncpg.Record]) -> Iterator[Described]:
    for row in rows:
        try:
            vendor = Vendor.model_validate_json(row["description"])
        except ValidationError:
            log.warning("vendors.forgotten", vendor=row["vendor"], remedy="put its file back, with ended_on")
            continue
        yield Described(vendor, row["last_true_at"].date())
