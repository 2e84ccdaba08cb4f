"""The runner and its lanes: tasks that wait for one system that hangs do not keep the others from running."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.fulfillment.datamap.systems import Limits
from services.fulfillment.lanes import SLOW_SECONDS, Lane, Lanes
from shared.tasks.ports import NoLanes
from shared.tasks.runner import Runner
from shared.tasks.work import Answer, Claimed, Finished
from tests.support.machine import Machine, Upstream, request
from tests.support.script_handler import ScriptHandler

WIDTH, PLACES, HANGING, QUICK = 4, 2, 6, 6


class ByKey(Lanes):
    """In these tests a task's key is the system that it waits for."""

    def enter(
        self, task_id: UUID, body: Mapping[str, Any], urgency: datetime | None = None
    ) -> timedelta | None:
        return super().enter(task_id, {"system": body["key"]}, urgency)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Outside:
    """Of two systems the first answers nobody until it is released."""

    def __init__(self, machine: Machine) -> None:
        self.now = Clock()
        self.released = asyncio.Event()
        self.ended: list[str] = []
        limits = Limits(connections=PLACES)
        self.lanes = ByKey({"a": Lane(limits, self.now), "b": Lane(limits, self.now)})
        handler = ScriptHandler(act=self.act)
        self.runner = Runner(machine.tasks, {"count": handler}, machine.batcher, machine.clock, width=WIDTH)
        self.runner.lanes = self.lanes

    async def act(self, task: Claimed) -> Answer:
        if task.key == "a":
            await self.released.wait()
        self.ended.append(task.key)
        return Finished("done", {})


async def test_a_system_that_hangs_delays_no_other(machine: Machine, upstream: Upstream) -> None:
    outside = Outside(machine)
    runner, lanes, ended = outside.runner, outside.lanes, outside.ended
    for number in range(HANGING):
        await machine.hear(upstream.event(request(number), "task-a"))
    await runner.turn()
    for number in range(HANGING, HANGING + QUICK):
        await machine.hear(upstream.event(request(number), "task-b"))

    outside.now.seconds += SLOW_SECONDS
    while ended.count("b") < QUICK:
        await runner.turn()
        await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.01)

    assert ended == ["b"] * QUICK
    assert lanes.slow() == WIDTH
    waiting = await machine.world.task(request(HANGING - 1), "a")
    assert waiting is not None
    assert (waiting.state, waiting.attempts) == ("queued", 0)
    outside.released.set()
    await runner.drain(within=5)
    assert lanes.slow() == 0


class Told(NoLanes):
    """Remembers what it was told of each task."""

    def __init__(self) -> None:
        self.urgencies: list[datetime] = []

    def enter(self, _task_id: UUID, _body: Mapping[str, Any], urgency: datetime) -> timedelta | None:
        self.urgencies.append(urgency)
        return None


async def test_a_lane_is_told_the_date_that_each_task_goes_by(machine: Machine, upstream: Upstream) -> None:
    told = Told()
    runner = Runner(machine.tasks, {"count": ScriptHandler()}, machine.batcher, machine.clock, width=WIDTH)
    runner.lanes = told
    planned = machine.clock.now()
    await machine.hear(upstream.event(request(1), "task-a"))

    await runner.turn()
    await runner.drain(within=5)

    assert told.urgencies == [planned]
