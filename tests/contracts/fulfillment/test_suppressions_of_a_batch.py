"""Many requests' suppressions in one batch of the real table: each told what holds of its own hashes, in order."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.fulfillment.domain.aftercare import SUPPRESS, Suppression
from services.fulfillment.suppression import SuppressionRegister, suppressions
from shared.machine.decision import Message, TaskFinished
from shared.machine.storage import PostgresTransaction
from shared.policy.rights import Right
from tests.support.domain_driver import Messages
from tests.support.facts import closed
from tests.support.installation import Installation
from tests.support.subject_worlds import MONTH

pytestmark = pytest.mark.connected
AT = datetime(2026, 2, 3, tzinfo=UTC)
ADA, BOB = f"1:{'a' * 64}", f"1:{'b' * 64}"


@pytest.fixture
async def connection(installation: Installation) -> AsyncIterator[asyncpg.Connection]:
    async with installation.pool("fulfillment") as pool, pool.acquire() as connection:
        await connection.execute("DELETE FROM suppressed")
        yield connection


def stated(
    request_id: UUID, *hashes: str, right: str = "delete", lift: bool = False, wait: str | None = None
) -> Message:
    """The end of a suppress task."""
    said = {
        "business": "cascadia",
        "right": right,
        "cut_off": AT.isoformat(),
        "ask_again_from": wait,
        "hashes": hashes,
        "lift": lift,
    }
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


async def ended(connection: asyncpg.Connection, message: Message) -> None:
    """The task's row, as the transaction that takes its end in has written it."""
    body = message.body
    assert isinstance(body, TaskFinished)
    await PostgresTransaction(connection, set()).lock([message.request_id], MONTH)
    await connection.execute(
        """INSERT INTO tasks (task_id, request_id, key, handler, purpose, urgency, run_at, body, state, result)
        VALUES ($1, $2, $3, $3, 'document', $4, $4, '{}', 'done', $5)""",
        *(body.task_id, message.request_id, SUPPRESS, AT, json.dumps({"result": body.result})),
    )


def answered(request_id: UUID, again: date | None) -> Message:
    """The closing of an opt-out, which names the day."""
    body = closed().model_copy(update={"ask_again_from": again})
    return Messages(request_id).event(body, at=AT)


async def test_who_opted_out_is_told_with_the_day_from_which_they_may_be_asked_again(
    connection: asyncpg.Connection,
) -> None:
    opted, deleted = uuid4(), uuid4()

    found = await heard(
        connection,
        [stated(opted, ADA, right="opt_out", wait="2027-02-03"), stated(deleted, BOB)],
    )

    assert [one.ask_again_from for one in found[opted] + found[deleted]] == [date(2027, 2, 3), None]


async def test_the_day_of_the_answer_which_the_closing_tells_takes_its_place(
    connection: asyncpg.Connection,
) -> None:
    opted = uuid4()
    message = stated(opted, ADA, right="opt_out", wait="2027-02-03")
    await ended(connection, message)
    first = await heard(connection, [message])

    found = await heard(connection, [answered(opted, date(2027, 2, 20))])

    [one] = found[opted]
    assert (one.hash, one.rights, one.ask_again_from) == (ADA, (Right.OPT_OUT,), date(2027, 2, 20))
    assert one.version > first[opted][0].version
    assert await heard(connection, [answered(opted, date(2027, 2, 20))]) == {opted: ()}
    assert (await heard(connection, [message]))[opted][0].ask_again_from == date(2027, 2, 20)


async def test_of_two_waits_the_later_one_holds_until_its_request_is_released(
    connection: asyncpg.Connection,
) -> None:
    opted, limited = uuid4(), uuid4()
    await heard(connection, [stated(opted, ADA, right="opt_out", wait="2027-02-03")])

    both = await heard(connection, [stated(limited, ADA, right="limit", wait="2027-05-01")])
    left = await heard(connection, [stated(limited, ADA, right="limit", lift=True)])

    assert [both[limited][0].ask_again_from, left[limited][0].ask_again_from] == [
        date(2027, 5, 1),
        date(2027, 2, 3),
    ]


async def test_who_opted_in_again_waits_for_nothing_though_the_opt_out_closes_later(
    connection: asyncpg.Connection,
) -> None:
    opted = uuid4()
    message = stated(opted, ADA, right="opt_out", wait="2027-02-03")
    await ended(connection, message)
    back = uuid4()
    opted_in = (await heard(connection, [message, stated(back, ADA, right="opt_in")]))[back]

    assert [one.waited_until for one in opted_in] == [date(2027, 2, 3)]
    found = await heard(connection, [answered(opted, date(2027, 2, 20))])

    assert found == {opted: ()}
    assert await connection.fetchval("SELECT count(*) FROM suppressed") == 0


async def test_whoever_asks_is_told_the_day_by_hash(
    connection: asyncpg.Connection, installation: Installation
) -> None:
    await heard(connection, [stated(uuid4(), ADA, right="opt_out", wait="2027-02-03"), stated(uuid4(), BOB)])

    async with installation.pool("fulfillment", size=1) as pool:
        found = await SuppressionRegister(pool).check([ADA, BOB])

    assert found.rights == {ADA: ["opt_out"], BOB: ["delete"]}
    assert found.ask_again_from == {ADA: date(2027, 2, 3)}
