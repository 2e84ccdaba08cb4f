"""A task that may go on at once is claimed by the transaction that plans it, and begins after the commit, or never."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from shared.tasks.at_birth import AtBirth
from shared.tasks.runner import Runner
from shared.tasks.work import Again
from tests.support.faulty_store import FaultyStore
from tests.support.machine import Machine, Upstream, request
from tests.support.script_handler import ScriptHandler
from tests.support.store_worlds import SeenTask

ONE, TWO = request(1), request(2)


class Works:
    """A service whose shell hands its runner what it has just planned."""

    def __init__(self, machine: Machine, width: int = 4) -> None:
        self.machine = machine
        self.handler = ScriptHandler()
        self.upstream = Upstream()
        self.runner = Runner(
            machine.tasks, {"count": self.handler}, machine.batcher, machine.clock, width=width
        )
        machine.shell.starter = AtBirth(self.runner, machine.domain, machine.clock)

    async def hear(self, words: str, number: int = 1) -> None:
        await self.machine.hear(self.upstream.event(request(number), words))

    async def over(self) -> None:
        """Everything that was begun has ended."""
        while self.runner.running:
            await self.runner.freed.wait(5)

    async def claims(self) -> int:
        """How many tasks somebody else finds."""
        return (await self.machine.tasks.claim(["count"], 8)).due

    async def task(self, key: str = "a", number: int = 1) -> SeenTask:
        found = await self.machine.world.task(request(number), key)
        assert found is not None
        return found


@pytest.fixture
async def works(machine: Machine) -> Works:
    works = Works(machine)
    await works.runner.turn()
    return works


async def beside(works: Works, store: FaultyStore) -> Works:
    """Another process over the same tables, whose next commit fails."""
    machine = works.machine
    faulty = Works(Machine(machine.world, clock=machine.clock, vault=machine.vault, store=store))
    await faulty.runner.turn()
    return faulty


async def test_a_task_begins_without_anybody_looking_for_it(works: Works) -> None:
    await works.hear("task-a")
    assert await works.claims() == 0

    await works.over()

    assert works.handler.called == [(ONE, "key of a")]
    assert (await works.machine.case(ONE)).ended == {"a": "done"}
    assert ((await works.task()).epoch, (await works.task()).attempts) == (1, 1)
    await works.machine.is_sound(ONE)


async def test_until_the_runner_has_seen_the_end_of_what_waits_nobody_overtakes(machine: Machine) -> None:
    works = Works(machine)

    await works.hear("task-a")

    assert (await works.task()).state == "queued"


async def test_with_all_places_taken_a_task_waits_for_its_turn(machine: Machine) -> None:
    works = Works(machine, width=1)
    await works.runner.turn()

    await works.hear("task-a_task-b")

    assert sorted([(await works.task(key)).state for key in "ab"]) == ["claimed", "queued"]
    await works.over()
    assert len(works.handler.called) == 1


async def test_what_the_rules_stop_or_let_wait_is_not_begun(works: Works) -> None:
    await works.hear("task-a_wait")
    await works.hear("task-a_stop", 2)
    await works.over()

    assert works.handler.runs == 0
    assert [(await works.task(number=number)).state for number in (1, 2)] == ["queued", "queued"]


async def test_a_task_that_was_planned_before_is_not_begun_a_second_time(works: Works) -> None:
    await works.hear("task-a")
    await works.over()

    await works.hear("task-a")
    await works.over()

    assert works.handler.runs == 1
    assert await works.claims() == 0


async def test_nothing_begins_of_what_was_rolled_back(works: Works) -> None:
    cut_off = FaultyStore(
        works.machine.world.store, before_commit=[asyncpg.ConnectionDoesNotExistError("cut off")]
    )
    faulty = await beside(works, cut_off)

    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        await faulty.hear("task-a")
    await faulty.over()

    assert faulty.handler.runs == 0
    assert await works.machine.world.task(ONE, "a") is None


async def test_what_was_committed_without_our_hearing_of_it_is_for_the_next_who_looks(works: Works) -> None:
    cut_off = FaultyStore(
        works.machine.world.store, after_commit=[asyncpg.ConnectionDoesNotExistError("no answer")]
    )
    faulty = await beside(works, cut_off)

    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        await faulty.hear("task-a")
    await faulty.over()

    assert faulty.handler.runs == 0
    await works.runner.turn()
    await works.over()
    assert works.handler.called == [(ONE, "key of a")]


async def test_a_process_that_died_with_what_it_took_up_leaves_it_to_the_lease(works: Works) -> None:
    works.handler.before_calling = lambda _task: asyncio.Event().wait()
    await works.hear("task-a")
    await works.runner.drain(within=0)
    assert await works.claims() == 0

    await works.machine.world.expire((await works.task()).task_id)

    (task,) = (await works.machine.tasks.claim(["count"], 8)).run
    assert (task.settle, task.attempts) == (False, 2)


async def test_a_runner_that_drains_takes_nothing_up(works: Works) -> None:
    await works.runner.drain(within=0)

    await works.hear("task-a")

    assert (await works.task()).state == "queued"


async def test_a_task_that_comes_again_is_claimed_as_ever(works: Works) -> None:
    async def later(_task: object) -> Again:
        return Again(timedelta(minutes=1), "busy")

    works.handler.act = later
    await works.hear("task-a")
    await works.over()
    works.machine.clock.pass_(minutes=2)

    assert await works.claims() == 1
