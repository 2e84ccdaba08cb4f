"""One anchor more: what changed since the last one, signed, stamped if wanted, and put into every place.

Where more histories changed than are held in memory, several anchors follow one another: the first run's are many.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from deploy.chains.anchors import (
    Anchor,
    AnchorRefused,
    Signed,
    anchor_names,
    new_anchor,
    read_anchors,
    signed,
)
from deploy.chains.places import Place
from deploy.chains.reading import case_heads
from deploy.chains.register import Registered, register, registered
from deploy.chains.scratch import Head, Scratch
from deploy.chains.stamps import Authority
from shared.events.topics import SERVICES
from shared.signing import KeyRing, PublicKeys

# What one anchor holds at the most; some eighty megabytes in memory.
LARGEST: Final = 200_000
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Keys:
    """The evidence key's two sides."""

    ring: KeyRing
    public: PublicKeys


@dataclass(frozen=True, slots=True)
class Anchoring:
    """Where anchors go, by whose keys and as of when; `progress` hears how many histories were looked at."""

    places: Sequence[Place]
    keys: Keys
    at: datetime
    authority: Authority | None = None
    largest: int = LARGEST
    progress: Progress = lambda _: None

    def put(self, before: Registered | None, number: int, heads: Sequence[Head]) -> Registered:
        """One anchor into every place; each at a moment of its own, by which they are named and read in order."""
        at = self.at if before is None else max(self.at, before.at + timedelta(microseconds=1))
        anchor = new_anchor(at, before.sha256 if before else None, number, heads)
        stamp = self.authority.stamp(anchor.content) if self.authority else None
        whole = signed(anchor, self.keys.ring, stamp)
        for place in self.places:
            whole.put(place)
        return Registered(number, anchor.name, anchor.sha256, at)


async def anchor_now(connection: asyncpg.Connection, anchoring: Anchoring) -> tuple[Registered, int]:
    """Make the next anchor, or several; the last one and the number of histories that they name.

    Raises:
        AnchorRefused: an anchor that is there proves nothing, or a place lacks one that another has.
    """
    scratch, made, count = Scratch(), list[Registered](), 0
    try:
        before = _listed(_known(anchoring.places, anchoring.keys.public, scratch))
        earlier = await registered(connection)
        number = max(before.number if before else 0, earlier[-1].number if earlier else 0)
        async for heads in _pieces(connection, scratch, anchoring):
            number, count = number + 1, count + len(heads)
            made.append(before := anchoring.put(before, number, heads))
    finally:
        scratch.close()
    for one in made:
        await register(connection, one)
    return made[-1], count


def _listed(last: Anchor | None) -> Registered | None:
    return Registered(last.number, last.name, last.sha256, last.at) if last else None


async def _pieces(
    connection: asyncpg.Connection, scratch: Scratch, anchoring: Anchoring
) -> AsyncIterator[list[Head]]:
    """What changed, at most so many at once; one piece even if nothing did, since a day without an anchor is found."""
    heads: list[Head] = []
    any_yet = False
    async for head in _changed(connection, scratch, anchoring.progress):
        heads.append(head)
        if len(heads) == anchoring.largest:
            yield heads
            heads, any_yet = [], True
    if heads or not any_yet:
        yield heads


def _known(places: Sequence[Place], public: PublicKeys, scratch: Scratch) -> Anchor | None:
    """Take in what the first place that has anchors says; one that has none yet gets them all."""
    filled = [place for place in places if anchor_names(place.names())]
    last: Anchor | None = None
    for one in read_anchors(filled[0], public) if filled else ():
        scratch.add_anchor(one.anchor.name, one.anchor.heads())
        for place in places:
            _same(place, filled, one)
        last = one.anchor
    scratch.index()
    return last


def _same(place: Place, filled: Sequence[Place], one: Signed) -> None:
    if place not in filled:
        one.put(place)
    elif one.anchor.name not in place.names():
        raise AnchorRefused(
            f"{place} lacks {one.anchor.name}, which {filled[0]} has: look at habeas evidence audit first"
        )


async def _changed(
    connection: asyncpg.Connection, scratch: Scratch, progress: Progress
) -> AsyncIterator[Head]:
    looked_at = 0
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        for service in SERVICES:
            async for request_id, head in case_heads(connection, service):
                looked_at += 1
                progress(looked_at)
                if scratch.latest(service, request_id) != head:
                    yield service, request_id, head
