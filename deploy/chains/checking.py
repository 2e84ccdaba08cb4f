"""Whether history is as it was written: chains against themselves, their cases, the anchors and the events."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

import asyncpg

from deploy.chains.anchors import Anchor
from deploy.chains.reading import Chain, case_heads, chains
from shared.audit import GENESIS, AuditHead, Broken, verify_chain
from shared.events.topics import SERVICES

Stated = Mapping[tuple[str, UUID], set[str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is not as it was written, and where."""

    service: str
    request_id: UUID
    row: int | None
    what: str

    def to_json(self) -> dict[str, str | int | None]:
        return {**asdict(self), "request_id": str(self.request_id)}


@dataclass(slots=True)
class Audit:
    """Checks all services; counts what it saw."""

    anchors: Sequence[Anchor] = ()
    stated: Stated | None = None
    chains: int = 0
    rows: int = 0

    async def findings(self, connection: asyncpg.Connection) -> AsyncIterator[Finding]:
        """Everything that is not as it was written, service by service, as of one moment."""
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            for service in SERVICES:
                async for finding in self._service(connection, service):
                    yield finding

    async def _service(self, connection: asyncpg.Connection, service: str) -> AsyncIterator[Finding]:
        cases = await case_heads(connection, service)
        anchored = _anchored(self.anchors, service)
        async for chain in chains(connection, service):
            self.chains += 1
            self.rows += len(chain.rows)
            case = cases.pop(chain.request_id, None)
            expected = anchored.pop(chain.request_id, ())
            for row, what in self._faults(service, chain, case, expected):
                yield Finding(service, chain.request_id, row, what)
        for request_id, head in cases.items():
            if head.seq:
                yield Finding(
                    service, request_id, 1, f"the case has {head.seq} rows of history, and all are gone"
                )
        for request_id, heads in anchored.items():
            yield Finding(service, request_id, 1, f"its whole history is gone since {heads[-1][0]}")

    def _faults(
        self,
        service: str,
        chain: Chain,
        case: AuditHead | None,
        anchored: Iterable[tuple[str, AuditHead]],
    ) -> Iterator[tuple[int | None, str]]:
        found = verify_chain(chain.rows)
        if isinstance(found, Broken):
            yield found.seq, found.why
            return
        yield from _against_the_case(found, case)
        yield from _against_anchors(chain, anchored)
        yield from self._against_events(service, chain)

    def _against_events(self, service: str, chain: Chain) -> Iterator[tuple[int | None, str]]:
        if self.stated is None:
            return
        known = {row.hash for row in chain.rows}
        missing = self.stated.get((service, chain.request_id), set()) - known
        if missing:
            yield (
                None,
                f"{len(missing)} of its events name a row that is not in the chain: it was written anew",
            )


def _against_the_case(found: AuditHead, case: AuditHead | None) -> Iterator[tuple[int | None, str]]:
    if case is None:
        yield None, "there is history and no case"
    elif case != found:
        last = f"row {case.seq}" if case != GENESIS else "no row"
        yield found.seq, f"the chain ends at row {found.seq}, and the case was last changed at {last}"


def _against_anchors(
    chain: Chain, anchored: Iterable[tuple[str, AuditHead]]
) -> Iterator[tuple[int | None, str]]:
    hashes = {row.seq: row.hash for row in chain.rows}
    for name, head in anchored:
        if head.seq and hashes.get(head.seq) != head.hash:
            yield head.seq, f"row {head.seq} is not the one of {name}: the chain was written anew since"
            return


def _anchored(anchors: Iterable[Anchor], service: str) -> dict[UUID, list[tuple[str, AuditHead]]]:
    """For each request, what each anchor says of it."""
    found: dict[UUID, list[tuple[str, AuditHead]]] = {}
    for anchor in anchors:
        for request_id, head in anchor.heads.get(service, {}).items():
            found.setdefault(request_id, []).append((anchor.name, head))
    return found
