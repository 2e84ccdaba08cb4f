"""One anchor more: what changed since the last one, signed, stamped if wanted, and put into every place."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

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
from deploy.chains.register import register, registered
from deploy.chains.scratch import Head, Scratch
from deploy.chains.stamps import Authority
from shared.events.topics import SERVICES
from shared.signing import KeyRing, PublicKeys


@dataclass(frozen=True, slots=True)
class Keys:
    """The evidence key's two sides."""

    ring: KeyRing
    public: PublicKeys


async def anchor_now(
    connection: asyncpg.Connection,
    places: Sequence[Place],
    keys: Keys,
    at: datetime,
    authority: Authority | None = None,
) -> tuple[Anchor, int]:
    """Make the next anchor; it and the number of chains that it names.

    Raises:
        AnchorRefused: an anchor that is there proves nothing, or a place lacks one that another has.
    """
    scratch = Scratch()
    try:
        before = _known(places, keys.public, scratch)
        heads = [head async for head in _changed(connection, scratch)]
    finally:
        scratch.close()
    made = await registered(connection)
    number = max(before.number if before else 0, made[-1].number if made else 0) + 1
    anchor = new_anchor(at, before, number, heads)
    whole = signed(anchor, keys.ring, authority.stamp(anchor.content) if authority else None)
    for place in places:
        whole.put(place)
    await register(connection, anchor)
    return anchor, len(heads)


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


async def _changed(connection: asyncpg.Connection, scratch: Scratch) -> AsyncIterator[Head]:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        for service in SERVICES:
            async for request_id, head in case_heads(connection, service):
                if scratch.latest(service, request_id) != head:
                    yield service, request_id, head
