"""One look finds work for each loop, and wakes nobody who has none."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from shared.background import Wakeup
from shared.lookout import Lookout
from shared.outbox.shards import SHARDS
from shared.tasks.work import Again
from tests.support.installation import Installation
from tests.support.machine import Machine, Upstream, request
from tests.support.outbox import unpublished
from tests.support.store_worlds import PostgresWorld

pytestmark = pytest.mark.connected
ONE = request(1)
LOOPS = ("relay", "tasks", "timers", "parked")


class Woken(Wakeup):
    """Remembers that it was called."""

    def __init__(self) -> None:
        super().__init__()
        self.called = False

    def set(self) -> None:
        self.called = True


class Tower:
    """A service, and a lookout over its tables."""

    def __init__(self, pool: asyncpg.Pool, world: PostgresWorld) -> None:
        self.pool = pool
        self.world = world
        self.machine = Machine(world)
        self.upstream = Upstream()
        self.shards = list(range(SHARDS))

    async def hear(self, words: str) -> None:
        """A message whose own facts have gone out already."""
        await self.machine.hear(self.upstream.event(ONE, words))
        await self.pool.execute("UPDATE outbox SET published_at = now()")
        assert await unpublished(self.pool) == 0

    async def wakes(self) -> set[str]:
        """Which loops a look wakes."""
        wakeups = {name: Woken() for name in LOOPS}
        lookout = Lookout(
            self.pool, self.machine.clock, handlers=["count"], shards=lambda: self.shards, wakeups=wakeups
        )
        assert not await lookout.turn()
        return {name for name, wakeup in wakeups.items() if wakeup.called}


@pytest.fixture
async def tower(kernel: Installation, pool: asyncpg.Pool) -> AsyncIterator[Tower]:
    async with kernel.admin() as admin:
        yield Tower(pool, PostgresWorld(pool, admin, "verification"))


async def test_nobody_is_woken_where_nothing_waits(tower: Tower) -> None:
    await tower.hear("heard")

    assert await tower.wakes() == set()


async def test_a_case_wakes_the_timers_when_its_time_has_come_and_not_before(tower: Tower) -> None:
    await tower.hear("wake-30")

    assert await tower.wakes() == set()
    tower.machine.clock.pass_(minutes=30)

    assert await tower.wakes() == {"timers"}


async def test_a_task_wakes_its_runner_while_it_is_due_and_when_its_owner_is_gone(tower: Tower) -> None:
    await tower.hear("task-a")
    assert await tower.wakes() == {"tasks"}
    (task,) = (await tower.machine.tasks.claim(["count"], 8)).run
    assert await tower.wakes() == set()

    await tower.world.expire(task.task_id)

    assert await tower.wakes() == {"tasks"}


async def test_a_task_for_later_wakes_its_runner_later(tower: Tower) -> None:
    await tower.hear("task-a")
    (task,) = (await tower.machine.tasks.claim(["count"], 8)).run
    await tower.machine.tasks.again(task, Again(timedelta(minutes=5), "later"))

    assert await tower.wakes() == set()
    tower.machine.clock.pass_(minutes=5)

    assert await tower.wakes() == {"tasks"}


async def test_a_record_wakes_the_relay_that_holds_its_shard_and_no_other(tower: Tower) -> None:
    await tower.machine.hear(tower.upstream.event(ONE, "heard"))
    held = await tower.pool.fetchval("SELECT shard FROM outbox LIMIT 1")

    tower.shards = [held]
    assert await tower.wakes() == {"relay"}
    tower.shards = [shard for shard in range(SHARDS) if shard != held]

    assert await tower.wakes() == set()


async def test_what_another_process_parked_wakes_whoever_looks_after_the_parked(tower: Tower) -> None:
    tower.upstream.event(ONE, "lost on its way")
    await tower.hear("too early")

    assert await tower.wakes() == {"parked"}


async def test_a_woken_loop_turns_at_once(tower: Tower) -> None:
    wakeup = Wakeup()
    await tower.hear("task-a")
    lookout = Lookout(
        tower.pool, tower.machine.clock, handlers=["count"], shards=list, wakeups={"tasks": wakeup}
    )

    async with asyncio.timeout(5):
        async with asyncio.TaskGroup() as group:
            group.create_task(wakeup.wait(60))
            group.create_task(lookout.turn())
