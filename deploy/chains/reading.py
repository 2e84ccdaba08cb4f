"""The chains as they lie in a service's tables, one request after the other."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from shared.audit import AuditHead, AuditRow

_CHAINS = """
SELECT request_id, seq, at, kind, facts, prev, hash FROM {service}.audit ORDER BY request_id, seq
"""
_CASES = "SELECT request_id, audit_seq, audit_head FROM {service}.cases"
FETCH = 2_000


@dataclass(slots=True)
class Chain:
    """One request's rows in one service, in order."""

    request_id: UUID
    rows: list[AuditRow] = field(default_factory=list)


async def chains(connection: asyncpg.Connection, service: str) -> AsyncIterator[Chain]:
    """Every request's chain; rows come in pieces, so that memory stays flat. Needs a transaction."""
    current: Chain | None = None
    async for row in connection.cursor(_CHAINS.format(service=service), prefetch=FETCH):
        if current is None or current.request_id != row["request_id"]:
            if current is not None:
                yield current
            current = Chain(row["request_id"])
        values = dict(row)
        current.rows.append(AuditRow(**{**values, "facts": json.loads(values["facts"])}))
    if current is not None:
        yield current


async def case_heads(connection: asyncpg.Connection, service: str) -> dict[UUID, AuditHead]:
    """Where each case says that its chain ends."""
    rows = await connection.fetch(_CASES.format(service=service))
    return {row["request_id"]: AuditHead(row["audit_seq"], row["audit_head"]) for row in rows}
