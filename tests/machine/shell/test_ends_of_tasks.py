"""A task's end comes back through the shell: once, under its epoch, and two last ones cannot miss each other."""

import asyncio
import json

from shared.machine.decision import Message
from tests.support.machine import Machine, Upstream, request

ONE, TWO = request(1), request(2)


async def claimed(machine: Machine, upstream: Upstream, words: str = "task-a_task-b") -> list[Message]:
    """The ends of the tasks that `words` plan, told by who claimed them."""
    await machine.hear(upstream.event(ONE, words))
    claim = await machine.tasks.claim(["count"], 8)
    return [await machine.ended(ONE, task.key, epoch=task.epoch) for task in claim.run]


async def all_ended(machine: Machine) -> int:
    """How often the service said that none of the tasks is open any more."""
    bodies = [json.loads(row.value) for row in await machine.world.outbox()]
    return sum(body.get("reason") == "all_ended" for body in bodies)


async def test_two_last_tasks_that_finish_in_one_batch_end_the_request_once(
    machine: Machine, upstream: Upstream
) -> None:
    ends = await claimed(machine, upstream)

    told = await machine.shell.handle(ends)

    assert [result.status for result in told] == ["applied", "applied"]
    assert (await machine.case(ONE)).open == frozenset()
    assert await all_ended(machine) == 1


async def test_two_last_tasks_that_finish_in_two_processes_end_the_request_once(
    machine: Machine, upstream: Upstream
) -> None:
    first, second = await claimed(machine, upstream)

    await asyncio.gather(machine.shell.handle([first]), machine.another().shell.handle([second]))

    assert (await machine.case(ONE)).ended == {"a": "done", "b": "done"}
    assert await all_ended(machine) == 1
    await machine.is_sound(ONE)


async def test_an_end_told_twice_counts_once(machine: Machine, upstream: Upstream) -> None:
    (end,) = await claimed(machine, upstream, "task-a")

    told = [(await machine.shell.handle([end]))[0].status for _ in range(2)]
    chain = await machine.chain(ONE)

    assert told == ["applied", "stale"]
    assert chain == ["dsar.request.withdrawn.v1", "local.told"]


async def test_an_end_under_a_lost_lease_changes_nothing(machine: Machine, upstream: Upstream) -> None:
    (end,) = await claimed(machine, upstream, "task-a")
    task = await machine.world.task(ONE, "a")
    assert task is not None
    await machine.world.expire(task.task_id)
    await machine.tasks.claim(["count"], 8)

    (told,) = await machine.shell.handle([end])

    assert told.status == "stale"
    assert (await machine.case(ONE)).open == {"a"}


async def test_an_end_that_the_rules_choke_on_blocks_the_case_and_the_task_stays_open(
    machine: Machine, upstream: Upstream
) -> None:
    await claimed(machine, upstream, "task-a")

    assert await machine.end(ONE, "a", epoch=1, poison=True) == "dead"

    task = await machine.world.task(ONE, "a")
    assert task is not None
    assert task.state == "claimed"
    assert await machine.is_blocked(ONE)
    machine.domain.broken = False
    await machine.world.unblock(ONE)
    assert await machine.end(ONE, "a", epoch=1, poison=True) == "applied"


async def test_an_end_reaches_a_case_that_is_blocked(machine: Machine, upstream: Upstream) -> None:
    (end,) = await claimed(machine, upstream, "task-a")
    await machine.hear(upstream.command(ONE, "poison"))

    (told,) = await machine.shell.handle([end])

    assert told.status == "applied"
    assert (await machine.case(ONE)).ended == {"a": "done"}
    assert await machine.is_blocked(ONE)


async def test_a_task_planned_again_by_a_repeat_stays_one(machine: Machine, upstream: Upstream) -> None:
    await machine.hear(upstream.event(ONE, "task-a"), upstream.event(ONE, "task-a"))
    await machine.hear(upstream.command(ONE, "task-a"))

    assert len((await machine.tasks.claim(["count"], 8)).run) == 1
