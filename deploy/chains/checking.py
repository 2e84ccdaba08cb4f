"""Whether history is as it was written: chains against themselves, their cases, the anchors and the events."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from uuid import UUID

import asyncpg

from deploy.chains.reading import Chain, chains
from deploy.chains.scratch import Said, Scratch
from shared.audit import GENESIS, AuditHead, Broken, verify_chain
from shared.events.topics import SERVICES

Fault = tuple[int | None, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is not as it was written, and where; an anchor belongs to no service and no request."""

    service: str
    request_id: UUID | None
    row: int | None
    what: str

    def to_json(self) -> dict[str, str | int | None]:
        return {**asdict(self), "request_id": str(self.request_id) if self.request_id else None}


@dataclass(slots=True)
class Audit:
    """Checks all services against what is known from outside; counts what it saw."""

    scratch: Scratch
    chains: int = 0
    rows: int = 0
    progress: Callable[[int, int], None] = lambda *_: None

    async def findings(self, connection: asyncpg.Connection) -> AsyncIterator[Finding]:
        """Everything that is not as it was written, service by service, as of one moment."""
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            for service in SERVICES:
                async for finding in self._service(connection, service):
                    yield finding

    async def _service(self, connection: asyncpg.Connection, service: str) -> AsyncIterator[Finding]:
        """Two lists in the order of requests, walked side by side."""
        known = self.scratch.of(service)
        said = next(known, None)
        async for chain in chains(connection, service):
            while said is not None and said.request_id < chain.request_id:
                for finding in _vanished(service, said):
                    yield finding
                said = next(known, None)
            ours = said is not None and said.request_id == chain.request_id
            self.chains += bool(chain.rows)
            self.rows += len(chain.rows)
            self.progress(self.chains, self.rows)
            for row, what in _faults(chain, said if ours else None):
                yield Finding(service, chain.request_id, row, what)
            said = next(known, None) if ours else said
        while said is not None:
            for finding in _vanished(service, said):
                yield finding
            said = next(known, None)


def _vanished(service: str, said: Said) -> Iterator[Finding]:
    since = f"since {said.anchored[-1][0]}" if said.anchored else "and its events name it"
    yield Finding(service, said.request_id, 1, f"its whole history is gone {since}")


def _faults(chain: Chain, said: Said | None) -> Iterator[Fault]:
    if not chain.rows:
        yield from _without_rows(chain, said)
        return
    found = verify_chain(chain.rows)
    if isinstance(found, Broken):
        yield found.seq, found.why
        return
    yield from _against_the_case(found, chain.case)
    if said is not None:
        yield from _against_anchors(chain, said.anchored)
        yield from _against_events(chain, said.stated)


def _without_rows(chain: Chain, said: Said | None) -> Iterator[Fault]:
    if chain.case is not None and chain.case.seq:
        yield 1, f"the case has {chain.case.seq} rows of history, and all are gone"
    elif said is not None and said.anchored:
        yield 1, f"its whole history is gone since {said.anchored[-1][0]}"


def _against_events(chain: Chain, stated: set[str]) -> Iterator[Fault]:
    missing = stated - {row.hash for row in chain.rows}
    if missing:
        yield None, f"{len(missing)} of its events name a row that is not in the chain: it was written anew"


def _against_the_case(found: AuditHead, case: AuditHead | None) -> Iterator[Fault]:
    if case is None:
        yield None, "there is history and no case"
    elif case != found:
        last = f"row {case.seq}" if case != GENESIS else "no row"
        yield found.seq, f"the chain ends at row {found.seq}, and the case was last changed at {last}"


def _against_anchors(chain: Chain, anchored: Iterable[tuple[str, AuditHead]]) -> Iterator[Fault]:
    hashes = {row.seq: row.hash for row in chain.rows}
    for name, head in anchored:
        if head.seq and hashes.get(head.seq) != head.hash:
            yield head.seq, f"row {head.seq} is not the one of {name}: the chain was written anew since"
            return
