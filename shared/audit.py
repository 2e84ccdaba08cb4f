"""The hash chain that each service keeps per request: what it did and when, in an order that stays.

Pure functions. Rows hold ids, digests, counts and words of ours, never identity: the chain outlives the
request's key. A chain alone does not stop somebody who rewrites all of it; the heads carried by events and by
the certificate do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from shared.canonical import canonical_json, instant, sha256_hex

Fact = str | int | bool | None
NO_FACTS: Final[Mapping[str, Fact]] = {}


# A row is made for every message of every service: tuples, since a frozen dataclass takes thrice as long to make.
class AuditHead(NamedTuple):
    """The end of a chain: how many rows it has, and the hash of the last one."""

    seq: int
    hash: str


GENESIS = AuditHead(seq=0, hash="")


class AuditEntry(NamedTuple):
    """What is to be remembered; `facts` holds no identity."""

    request_id: UUID
    at: datetime
    kind: str
    facts: Mapping[str, Fact] = NO_FACTS


class AuditRow(NamedTuple):
    """An entry in its place; `hash` covers everything else in the row, `prev` included."""

    request_id: UUID
    seq: int
    at: datetime
    kind: str
    facts: Mapping[str, Fact]
    prev: str
    hash: str

    @property
    def head(self) -> AuditHead:
        return AuditHead(self.seq, self.hash)


@dataclass(frozen=True, slots=True)
class Broken:
    """The first row of a chain that does not follow from the one before it."""

    seq: int
    why: str


def append(head: AuditHead, entry: AuditEntry) -> AuditRow:
    """The row that follows `head`."""
    seq = head.seq + 1
    digest = _digest(entry, seq, head.hash)
    return AuditRow(entry.request_id, seq, entry.at, entry.kind, entry.facts, head.hash, digest)


def verify_chain(rows: Iterable[AuditRow]) -> AuditHead | Broken:
    """The head of one request's rows in order, or the first place where they break."""
    head, request_id = GENESIS, None
    for row in rows:
        why = _fault(row, head, request_id or row.request_id)
        if why is not None:
            return Broken(row.seq, why)
        head, request_id = row.head, row.request_id
    return head


def _fault(row: AuditRow, head: AuditHead, request_id: UUID) -> str | None:
    if row.request_id != request_id:
        return "the row belongs to another request"
    if row.seq != head.seq + 1:
        return f"row {head.seq + 1} is missing"
    if row.prev != head.hash:
        return "the row does not follow from the one before it"
    entry = AuditEntry(row.request_id, row.at, row.kind, row.facts)
    return (
        None if row.hash == _digest(entry, row.seq, row.prev) else "the row was changed after it was written"
    )


def _digest(entry: AuditEntry, seq: int, prev: str) -> str:
    return sha256_hex(
        canonical_json(
            {
                "request_id": str(entry.request_id),
                "seq": seq,
                "at": instant(entry.at),
                "kind": entry.kind,
                "facts": dict(entry.facts),
                "prev": prev,
            }
        )
    )
