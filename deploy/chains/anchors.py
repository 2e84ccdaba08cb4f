"""Anchors: where all chains ended at one time, signed, in places outside of the database.

Whoever owns the database can write a whole chain anew, without a break. Against an anchor that lies elsewhere that
shows: the anchored row is gone, or another. Each anchor names what changed since the one before it, and that one's
digest, so that the first holds all chains and the others a day's.
"""

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final
from uuid import UUID

from deploy.chains.places import Place
from deploy.chains.scratch import Head
from shared.audit import AuditHead
from shared.canonical import Json, canonical_json, instant, sha256_hex
from shared.signing import KeyRing, PublicKeys, Unverified, sign, verify
from shared.signing.jws import counts, signed_by

ANCHOR_TYPE: Final = "habeas-anchor+jws"
FORMAT: Final = "habeas-anchor/2"
ENDING: Final = ".jsonl.gz"
NAME: Final = re.compile(r"^anchor-\d{8}T\d{12}Z\.jsonl\.gz$")


class AnchorRefused(Exception):
    """An anchor proves nothing; the sentence says which, why and what to do."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """One anchor: its place in the order, its name, its digest and its bytes, which hold the heads."""

    number: int
    at: datetime
    name: str
    sha256: str
    content: bytes

    def heads(self) -> Iterator[Head]:
        """What it says of each chain that had changed."""
        with gzip.open(BytesIO(self.content), "rt", encoding="ascii") as lines:
            next(lines)
            for line in lines:
                service, request_id, seq, digest = line.split()
                yield service, UUID(request_id), AuditHead(int(seq), digest)


@dataclass(frozen=True, slots=True)
class Signed:
    """An anchor beside its signature, and the time stamp if one was asked for."""

    anchor: Anchor
    signature: bytes
    stamp: bytes | None = None

    def put(self, place: Place) -> None:
        """Add it; an older one is never touched. The signature comes last: what has one is whole."""
        base = self.anchor.name.removesuffix(ENDING)
        place.put(self.anchor.name, self.anchor.content, self.anchor.at)
        if self.stamp is not None:
            place.put(f"{base}.tsr", self.stamp, self.anchor.at)
        place.put(f"{base}.jws", self.signature, self.anchor.at)


def new_anchor(at: datetime, previous: str | None, number: int, heads: Iterable[Head]) -> Anchor:
    """The anchor that follows the one with the digest `previous`."""
    head: dict[str, Json] = {
        "format": FORMAT,
        "at": instant(at),
        "number": number,
        "previous": previous,
    }
    content = BytesIO()
    with gzip.GzipFile(fileobj=content, mode="wb", mtime=0) as file:
        file.write(canonical_json(head) + b"\n")
        for service, one, end in heads:
            file.write(f"{service} {one} {end.seq} {end.hash}\n".encode())
    name = f"anchor-{at.astimezone(UTC):%Y%m%dT%H%M%S%f}Z{ENDING}"
    return Anchor(number, at, name, sha256_hex(content.getvalue()), content.getvalue())


def signed(anchor: Anchor, ring: KeyRing, stamp: bytes | None = None) -> Signed:
    """Sign its digest with the evidence key."""
    claim: dict[str, Json] = {
        "format": FORMAT,
        "name": anchor.name,
        "number": anchor.number,
        "sha256": anchor.sha256,
    }
    return Signed(anchor, sign(canonical_json(claim), ANCHOR_TYPE, ring).encode(), stamp)


def read_anchors(place: Place, keys: PublicKeys) -> Iterator[Signed]:
    """Every anchor of a place, oldest first, one at a time.

    Raises:
        AnchorRefused: one is damaged, unsigned, or missing between two others.
    """
    names = place.names()
    before: Anchor | None = None
    for name in (one for one in names if NAME.match(one)):
        found = _read(place, name, names, keys)
        previous = _heading(found.anchor)["previous"]
        if previous != (before.sha256 if before else None):
            raise AnchorRefused(f"{name} in {place} does not follow the anchor before it: one was removed")
        before = found.anchor
        yield found


def anchor_names(names: Sequence[str]) -> list[str]:
    """Those of a place's files that are anchors."""
    return [one for one in names if NAME.match(one)]


def _read(place: Place, name: str, names: Sequence[str], keys: PublicKeys) -> Signed:
    content, base = place.read(name), name.removesuffix(ENDING)
    if f"{base}.jws" not in names:
        raise AnchorRefused(f"{name} in {place} has no signature beside it; restore it from its copy")
    signature = place.read(f"{base}.jws")
    digest = sha256_hex(content)
    _check_signature(f"{name} in {place}", signature, digest, keys)
    head = _heading_of(content, name)
    at = datetime.fromisoformat(head["at"])
    token = signature.decode("ascii", "replace")
    if not counts(token, keys, at):
        raise AnchorRefused(
            f"{name} in {place} is signed by {signed_by(token)}, which was retired before its date"
        )
    stamp = place.read(f"{base}.tsr") if f"{base}.tsr" in names else None
    return Signed(Anchor(head["number"], at, name, digest, content), signature, stamp)


def _check_signature(what: str, signature: bytes, digest: str, keys: PublicKeys) -> None:
    token = signature.decode("ascii", "replace").strip()
    payload = verify(token, keys, ANCHOR_TYPE)
    if isinstance(payload, Unverified):
        raise AnchorRefused(f"{what} is not signed by a known key ({payload.reason}, key {signed_by(token)})")
    if json.loads(payload)["sha256"] != digest:
        raise AnchorRefused(f"{what} was changed after it was signed; restore it from its copy")


def _heading(anchor: Anchor) -> dict[str, Any]:
    return _heading_of(anchor.content, anchor.name)


def _heading_of(content: bytes, name: str) -> dict[str, Any]:
    with gzip.open(BytesIO(content), "rt", encoding="ascii") as lines:
        found: dict[str, Any] = json.loads(next(lines))
    if found.get("format") != FORMAT:
        raise AnchorRefused(f"{name} has a format that this version does not read")
    return found
