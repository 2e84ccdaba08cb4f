"""Many requests' suppressions in one batch of the real table: each told what holds of its own hashes, in order."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.fulfillment.domain.aftercare import SUPPRESS, Suppression
from services.fulfillment.suppression import suppressions
from shared.machine.decision import Message, TaskFinished
from shared.machine.storage import PostgresTransaction
from shared.policy.rights import Right
from tests.support.installation import Installation

pytestmark = pytest.mark.connected
AT = datetime(2026, 2, 3, tzinfo=UTC)
ADA, BOB = f"1:{'a' * 64}", f"1:{'b' * 64}"


@pytest.fixture
async def connection(installation: Installation) -> AsyncIterator[asyncpg.Connection]:
    async with installation.pool("fulfillment") as pool, pool.acquire() as connection:
        await connection.execute("DELETE FROM suppressed")
        yield connection


def stated(request_id: UUID, *hashes: str, right: str = "delete", lift: bool = False) -> Message:
    """The end of a suppress task."""
    said = {"business": "cascadia", "right": right, "cut_off": AT.isoformat(), "hashes": hashes, "lift": lift}
    body = TaskFinished(task_id=uuid4(), key=SUPPRESS, handler=SUPPRESS, epoch=1, status="done", result=said)
    return Message(uuid4(), "local.task-finished", "local", "local", request_id, body, AT)


async def heard(
    connection: asyncpg.Connection, messages: Sequence[Message]
) -> dict[UUID, tuple[Suppression, ...]]:
    async with connection.transaction():
        return await suppressions(PostgresTransaction(connection), messages)


async def test_each_request_of_a_batch_is_told_of_its_own_hashes(connection: asyncpg.Connection) -> None:
    one, two, nobody = uuid4(), uuid4(), uuid4()

    found = await heard(connection, [stated(one, ADA), stated(two, BOB), stated(nobody)])

    assert {who: [each.hash for each in told] for who, told in found.items()} == {
        one: [ADA],
        two: [BOB],
        nobody: [],
    }


async def test_two_requests_of_one_person_in_one_batch_are_two_grounds(
    connection: asyncpg.Connection,
) -> None:
    one, two = uuid4(), uuid4()

    found = await heard(connection, [stated(one, ADA), stated(two, ADA, BOB, right="opt_out")])

    [first], [second, other] = found[one], found[two]
    assert (first.rights, second.rights) == ((Right.DELETE,), (Right.DELETE, Right.OPT_OUT))
    assert other.rights == (Right.OPT_OUT,)
    assert first.version < second.version


async def test_what_is_stated_and_taken_back_in_one_batch_is_over(connection: asyncpg.Connection) -> None:
    one, two = uuid4(), uuid4()
    story = [stated(one, ADA), stated(two, BOB), stated(one, ADA, lift=True), stated(two, BOB, right="limit")]

    found = await heard(connection, story)

    assert [(each.hash, each.rights) for each in found[one]] == [(ADA, ())]
    assert [(each.hash, each.rights) for each in found[two]] == [(BOB, (Right.DELETE, Right.LIMIT))]
    versions = [each.version for told in found.values() for each in told]
    assert len(set(versions)) == len(versions)
