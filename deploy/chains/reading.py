"""The chains as they lie in a service's tables, one request after the other, each beside its case."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from shared.audit import AuditHead, AuditRow

# A case without rows, and rows without a case, come too.
_CHAINS = """
SELECT request_id, audit_seq, audit_head, seq, at, kind, facts, prev, hash
FROM {service}.cases FULL JOIN {service}.audit USING (request_id) ORDER BY request_id, seq
"""
_HEADS = (
    "SELECT request_id, audit_seq, audit_head FROM {service}.cases WHERE audit_seq > 0 ORDER BY request_id"
)
_ONE = """
SELECT request_id, seq, at, kind, facts, prev, hash FROM {service}.audit WHERE request_id = $1 ORDER BY seq
"""
FETCH = 2_000


@dataclass(slots=True)
class Chain:
    """One request's rows in one service, in order, and where its case says that they end."""

    request_id: UUID
    case: AuditHead | None
    rows: list[AuditRow] = field(default_factory=list)


async def chains(connection: asyncpg.Connection, service: str) -> AsyncIterator[Chain]:
    """Every request's chain, by request; rows come in pieces, so that memory stays flat. Needs a transaction."""
    current: Chain | None = None
    async for row in connection.cursor(_CHAINS.format(service=service), prefetch=FETCH):
        if current is None or current.request_id != row["request_id"]:
            if current is not None:
                yield current
            current = Chain(row["request_id"], _case(row))
        if row["seq"] is not None:
            current.rows.append(_row(row))
    if current is not None:
        yield current


async def case_heads(connection: asyncpg.Connection, service: str) -> AsyncIterator[tuple[UUID, AuditHead]]:
    """Where each case says that its chain ends, by request. Needs a transaction."""
    async for row in connection.cursor(_HEADS.format(service=service), prefetch=FETCH):
        yield row["request_id"], AuditHead(row["audit_seq"], row["audit_head"])


async def chain_of(connection: asyncpg.Connection, service: str, request_id: UUID) -> list[AuditRow]:
    """One request's rows, in order."""
    return [_row(row) for row in await connection.fetch(_ONE.format(service=service), request_id)]


def _case(row: asyncpg.Record) -> AuditHead | None:
    return None if row["audit_seq"] is None else AuditHead(row["audit_seq"], row["audit_head"])


def _row(row: asyncpg.Record) -> AuditRow:
    return AuditRow(
        request_id=row["request_id"],
        seq=row["seq"],
        at=row["at"],
        kind=row["kind"],
        facts=json.loads(row["facts"]),
        prev=row["prev"],
        hash=row["hash"],
    )
