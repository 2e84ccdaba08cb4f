"""Deletions applied once more to a system whose backup came back: everybody in it is looked up by keyed hash.

No request's key is needed, so that it works years later. Whoever came to be known after their deletion is another
person to it: rows are bound by the cut-off of the deletion.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable
from uuid import UUID

from services.fulfillment.acting import idempotency_key
from services.fulfillment.connected import categories_of
from services.fulfillment.datamap.model import DataMap
from services.fulfillment.domain import Catalogue, FulfillmentCase, SystemEntry
from services.fulfillment.domain.holds import StandingHold, cover
from services.fulfillment.domain.planning import act_key
from services.fulfillment.ports import (
    Adapter,
    Done,
    Export,
    Frozen,
    Gone,
    Receipt,
    Subject,
)
from shared.policy.rights import Right
from shared.privacy import HmacKeyring
from shared.privacy.holds import hold_hashes
from shared.privacy.suppression import suppression_hashes

AT_ONCE = 1000
ON_HOLD = "on hold: replay again once it is released"
Identity = tuple[str, str]


@runtime_checkable
class ListsPeople(Protocol):
    """What an adapter has whose system can be replayed."""

    def identities(self, *, at_once: int) -> AsyncIterator[Identity]:
        """Kind and value of every identifier that the system holds.

        Raises:
            CannotListError: it cannot be read to its end.
        """
        ...


class Remembers(Protocol):
    """Who was deleted, by keyed hash."""

    async def requests_of(
        self, hashes: Sequence[str], right: Right
    ) -> dict[str, list[tuple[UUID, datetime]]]:
        """The requests that suppressed these hashes under a right, each with its cut-off."""
        ...


class Withholds(Protocol):
    """The standing holds that are in force."""

    async def against(self, hashes: Sequence[str]) -> Sequence[StandingHold]:
        """What stands against destroying something of whoever has one of these hashes."""
        ...


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was done for one deleted person: a receipt, or why a person must look."""

    request_id: UUID
    receipt: Receipt | None = None
    problem: str = ""

    @property
    def rows(self) -> int:
        """How many rows went again."""
        counts = self.receipt.datasets if self.receipt else ()
        return sum(count.erased + count.deidentified for count in counts)


@dataclass(frozen=True, slots=True)
class Restored:
    """The system whose backup came back."""

    system: str
    business: str
    adapter: Adapter
    datamap: DataMap


@dataclass(frozen=True, slots=True)
class Replay:
    """One system's replay."""

    restored: Restored
    remembers: Remembers
    keyring: HmacKeyring
    withholds: Withholds

    async def run(self, people: AsyncIterator[Identity]) -> AsyncIterator[Replayed]:
        """Look everybody up and delete again who was deleted; nobody else is touched."""
        chunk = list[Identity]()
        async for identity in people:
            chunk.append(identity)
            if len(chunk) >= AT_ONCE:
                async for one in self._chunk(chunk):
                    yield one
                chunk = []
        async for one in self._chunk(chunk):
            yield one

    async def _chunk(self, chunk: Sequence[Identity]) -> AsyncIterator[Replayed]:
        hashes = {
            hashed: identity
            for identity in chunk
            for hashed in suppression_hashes(self.keyring, self.restored.business, *identity)
        }
        found = await self.remembers.requests_of(list(hashes), Right.DELETE)
        for hashed, requests in found.items():
            request_id, cut_off = max(requests, key=lambda one: one[1])
            kind, value = hashes[hashed]
            if await self._is_held([(kind, value)]):
                yield Replayed(request_id, problem=ON_HOLD)
                continue
            replayed = await self._again(Subject({kind: value}), request_id, cut_off)
            if replayed is not None:
                yield replayed

    async def _is_held(self, identities: Iterable[Identity]) -> bool:
        name, business = self.restored.system, self.restored.business
        about = [one for each in identities for one in hold_hashes(self.keyring, business, *each)]
        entry = SystemEntry(name, business, frozenset(), categories=categories_of(self.restored.datamap))
        standing = await self.withholds.against(about)
        return cover(
            standing, FulfillmentCase(business=business), act_key(name, Right.DELETE), Catalogue([entry])
        )

    async def _kept(self, frozen: Frozen, cut_off: datetime) -> str:
        """Why these rows may not go: one of the identifiers that stand in them is on hold, or they cannot be read."""
        export = await self.restored.adapter.export(frozen, cut_off=cut_off)
        if not isinstance(export, Export):
            return export.reason
        return ON_HOLD if await self._is_held(identities_in(self.restored.datamap, export)) else ""

    async def _again(self, subject: Subject, request_id: UUID, cut_off: datetime) -> Replayed | None:
        adapter = self.restored.adapter
        frozen = await adapter.find(subject, cut_off=cut_off)
        if not isinstance(frozen, Frozen):
            return Replayed(request_id, problem=frozen.reason)
        if isinstance(await adapter.prove(Right.DELETE, frozen, cut_off=cut_off), Gone):
            return None
        if problem := await self._kept(frozen, cut_off):
            return Replayed(request_id, problem=problem)
        key = idempotency_key(
            request_id, self.restored.system, f"restore:{cut_off.isoformat()}", frozen.digest()
        )
        outcome = await adapter.act(Right.DELETE, frozen, cut_off=cut_off, idempotency_key=key)
        if not isinstance(outcome, Done):
            return Replayed(request_id, problem=outcome.reason)
        proof = await adapter.prove(Right.DELETE, frozen, cut_off=cut_off)
        gone = isinstance(proof, Gone)
        return Replayed(request_id, outcome.receipt, "" if gone else "done, but still seen when read back")


def identities_in(datamap: DataMap, export: Export) -> Iterator[Identity]:
    """Every identifier that stands in these rows, with its kind."""
    rows = {data.dataset: data.rows for data in export.datasets}
    for kind, place in datamap.identities():
        for row in rows.get(place.collection, ()):
            value = row.get(place.field)
            values = value if isinstance(value, list | tuple) else [value]
            yield from ((kind, str(each)) for each in values if each not in {None, ""})
