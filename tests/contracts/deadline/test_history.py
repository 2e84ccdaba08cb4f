"""How long systems took, in the real table: the same rows in any order and however often, and nine of ten of them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.deadline.domain.work import Usual
from services.deadline.history import SystemHistory
from shared.events.fulfillment import RequestFulfilled, SystemOutcome, TaskSettled, TasksPlanned
from shared.machine.decision import Message
from shared.machine.storage import PostgresTransaction
from shared.policy import Right
from tests.support.domain_driver import Messages
from tests.support.facts import fulfilled
from tests.support.installation import Installation

pytestmark = pytest.mark.connected
PLANNED_AT = datetime(2026, 2, 3, tzinfo=UTC)
NOW = PLANNED_AT + timedelta(days=30)


@pytest.fixture
async def pool(installation: Installation) -> AsyncIterator[asyncpg.Pool]:
    async with installation.pool("deadline") as pool:
        await pool.execute("DELETE FROM system_work")
        yield pool


def _story(request_id: UUID, hours: float, outcome: Any = "done") -> list[Message]:
    messages = Messages(request_id)
    settled = SystemOutcome(system="crm", outcome=outcome)
    return [
        messages.event(TasksPlanned(right=Right.DELETE, systems=("crm", "dms")), at=PLANNED_AT),
        messages.event(
            TaskSettled(right=Right.DELETE, settled=settled), at=PLANNED_AT + timedelta(hours=hours)
        ),
    ]


def _ended() -> RequestFulfilled:
    return fulfilled(systems=[SystemOutcome(system="crm", outcome="done")])


async def _hear(pool: asyncpg.Pool, history: SystemHistory, batches: list[list[Message]]) -> dict[UUID, Any]:
    told: dict[UUID, Any] = {}
    async with pool.acquire() as connection, connection.transaction():
        for batch in batches:
            told |= await history.facts(PostgresTransaction(connection), batch)
    return told


async def _rows(pool: asyncpg.Pool) -> list[tuple[Any, ...]]:
    found = await pool.fetch("SELECT *, xmin::text FROM system_work ORDER BY request_id, system")
    return [tuple(row) for row in found]


async def test_in_any_order_and_in_any_batches_the_same_rows_remain(pool: asyncpg.Pool) -> None:
    history, request_id = SystemHistory(pool), uuid4()
    expected = [
        (request_id, "crm", "delete", PLANNED_AT, PLANNED_AT + timedelta(hours=4)),
        (request_id, "dms", "delete", PLANNED_AT, None),
    ]
    planned, settled = _story(request_id, 4)
    ended = Messages(request_id).event(_ended(), at=PLANNED_AT + timedelta(hours=5))

    for order in permutations((planned, settled, ended)):
        for batches in ([list(order)], [[one] for one in order]):
            await pool.execute("DELETE FROM system_work")
            await _hear(pool, history, batches)
            assert [row[:5] for row in await _rows(pool)] == expected


async def test_a_system_that_only_the_end_tells_of_took_until_then(pool: asyncpg.Pool) -> None:
    history, request_id = SystemHistory(pool), uuid4()
    planned, _ = _story(request_id, 4)
    ended = Messages(request_id).event(_ended(), at=PLANNED_AT + timedelta(hours=5))

    await _hear(pool, history, [[planned, ended]])

    crm, _ = await _rows(pool)
    assert crm[:5] == (request_id, "crm", "delete", PLANNED_AT, PLANNED_AT + timedelta(hours=5))


async def test_hearing_the_same_again_writes_nothing(pool: asyncpg.Pool) -> None:
    history, story = SystemHistory(pool), _story(uuid4(), 4)
    await _hear(pool, history, [story])
    before = await _rows(pool)

    await _hear(pool, history, [story, story])

    assert await _rows(pool) == before


async def test_nine_of_ten_of_what_was_finished_lately_is_what_is_usual(pool: asyncpg.Pool) -> None:
    history = SystemHistory(pool)
    stories = [_story(uuid4(), hours) for hours in range(1, 11)]
    canceled, old = _story(uuid4(), 500, "canceled"), _story(uuid4(), -24 * 80)
    await _hear(pool, history, [*stories, canceled, old])

    await history.count(NOW)
    told = await _hear(pool, history, [stories[0]])

    [pace] = told.values()
    assert pace == {("crm", "delete"): Usual(seen=10, within=timedelta(hours=9))}


async def test_what_is_a_year_old_goes(pool: asyncpg.Pool) -> None:
    history = SystemHistory(pool)
    await _hear(pool, history, [_story(uuid4(), 4)])

    await history.count(NOW + timedelta(days=365))

    assert [row[1] for row in await _rows(pool)] == ["dms"]
