"""What PostgreSQL refuses to the service itself: the audit chain is added to, never changed."""

import asyncpg
import pytest

from shared import audit
from shared.machine.ports import Writes
from tests.support.machine import NOON, request
from tests.support.store_worlds import PostgresWorld

pytestmark = pytest.mark.connected


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET kind = 'changed'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "UPDATE applied_commands SET source = 'other'",
        "DELETE FROM applied_commands",
        "DELETE FROM cases",
        "DELETE FROM dead_letters",
        "DROP TABLE audit",
        "ALTER TABLE audit ADD COLUMN more text",
    ],
)
async def test_a_service_cannot_rewrite_its_history(postgres_world: PostgresWorld, statement: str) -> None:
    row = audit.append(audit.GENESIS, audit.AuditEntry(request(1), NOON, "one"))
    async with postgres_world.store.transaction() as transaction:
        await transaction.lock([request(1)], NOON.date())
        await transaction.write(Writes(audit=[row]))

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await postgres_world.pool.execute(statement)

    assert await postgres_world.audit(request(1)) == [row]
