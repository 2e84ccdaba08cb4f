"""What the runner may rely on, of whatever store of tasks it runs over."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from shared.ids import new_id
from shared.machine.decision import Go, Stop, Wait
from shared.tasks.ports import Bound, Lost, Tasks
from shared.tasks.work import Again, Claimed
from tests.support.counting_domain import CountingDomain
from tests.support.machine import NOON, HandClock, Machine, Upstream, request
from tests.support.store_worlds import SeenTask, StoreWorld

ONE, TWO = request(1), request(2)


class Desk:
    """A service with a runner's hands: its shell plans tasks, its task store gives them out."""

    def __init__(self, world: StoreWorld) -> None:
        self.world = world
        self.clock = HandClock()
        self.machine = Machine(world, domain=CountingDomain(), clock=self.clock)
        self.upstream = Upstream()
        self.tasks: Tasks = self.machine.tasks

    async def tell(self, words: str, request_id: UUID = ONE) -> None:
        await self.machine.hear(self.upstream.event(request_id, words))

    async def claim_one(self) -> Claimed:
        (task,) = (await self.tasks.claim(["count"], 8)).run
        return task

    async def seen(self, key: str = "a", request_id: UUID = ONE) -> SeenTask:
        found = await self.world.task(request_id, key)
        assert found is not None
        return found

    async def blocked(self, request_id: UUID = ONE) -> None:
        await self.machine.hear(self.upstream.command(request_id, "poison"))
        assert await self.machine.is_blocked(request_id)


@pytest.fixture
def desk(world: StoreWorld) -> Desk:
    return Desk(world)


async def test_a_due_task_is_claimed_once_under_a_new_epoch(desk: Desk) -> None:
    await desk.tell("task-a")

    task = await desk.claim_one()

    assert (task.key, task.epoch, task.attempts, task.settle, task.body) == ("a", 1, 1, False, {"key": "a"})
    assert (await desk.seen()).state == "claimed"
    assert (await desk.tasks.claim(["count"], 8)).due == 0


async def test_two_claimers_share_the_tasks_and_never_one_of_them(desk: Desk) -> None:
    for number in range(10):
        await desk.tell("task-a_task-b", request(number))

    claims = await asyncio.gather(*(desk.tasks.claim(["count"], 7) for _ in range(4)))
    rest = await desk.tasks.claim(["count"], 20)

    taken = [task.task_id for claim in (*claims, rest) for task in claim.run]
    assert len(taken) == len(set(taken)) == 20


async def test_a_task_of_an_unknown_handler_or_a_later_time_is_left_alone(desk: Desk) -> None:
    await desk.tell("task-a")
    assert (await desk.tasks.claim(["other"], 8)).due == 0

    await desk.tasks.again(await desk.claim_one(), Again(timedelta(minutes=5), "later"))

    assert (await desk.tasks.claim(["count"], 8)).due == 0
    desk.clock.pass_(minutes=5)
    assert (await desk.claim_one()).attempts == 2


async def test_the_most_urgent_tasks_of_blocked_cases_do_not_keep_the_others_waiting(desk: Desk) -> None:
    for number in range(5):
        await desk.tell("task-a", request(number))
        await desk.blocked(request(number))
    desk.clock.pass_(hours=1)
    await desk.tell("task-b", request(9))

    claim = await desk.tasks.claim(["count"], 3)

    assert [task.request_id for task in claim.run] == [request(9)]


async def test_a_case_that_somebody_else_holds_is_stepped_over(desk: Desk) -> None:
    await desk.tell("task-a")
    await desk.tell("task-a", TWO)

    async with desk.world.store.transaction() as holder:
        await holder.lock([ONE], NOON.date())
        claim = await desk.tasks.claim(["count"], 1)

    assert [task.request_id for task in claim.run] == [TWO]


async def test_the_domain_is_asked_in_the_transaction_that_claims(desk: Desk) -> None:
    await desk.tell("task-a_stop")
    await desk.tell("task-a_wait", TWO)

    claim = await desk.tasks.claim(["count"], 8)

    assert [(task.key, reason) for task, reason in claim.stopped] == [("a", "withdrawn")]
    assert (claim.run, claim.waiting, claim.due) == ([], 1, 2)
    assert (await desk.tasks.claim(["count"], 8)).due == 0
    assert (await desk.seen("a", TWO)).state == "queued"
    desk.clock.pass_(hours=1)
    await desk.tell("go", TWO)
    assert (await desk.claim_one()).request_id == TWO


async def test_a_case_that_cannot_be_asked_stops_its_own_tasks_only(desk: Desk) -> None:
    await desk.tell("task-a_poison-permit")
    await desk.tell("task-a", TWO)
    await desk.tell("task-a", request(3))
    await desk.world.spoil(request(3), '{"no": "such field"}')

    claim = await desk.tasks.claim(["count"], 8)

    assert [task.request_id for task in claim.run] == [TWO]
    assert claim.waiting == 2


async def test_calling_stores_what_the_call_is_bound_to_and_a_later_attempt_finds_it(desk: Desk) -> None:
    await desk.tell("task-a")
    task, frozen_id = await desk.claim_one(), new_id()

    assert await desk.tasks.calling(task, Bound("frozen", frozen_id, "key")) == Go()
    assert await desk.tasks.calling(task, Bound()) == Go()
    assert (await desk.seen()).state == "calling"
    await desk.tasks.again(task, Again(timedelta(0), "no answer", ambiguous=True))

    again = await desk.claim_one()
    assert (again.settle, again.epoch) == (True, 2)
    assert (again.frozen, again.frozen_id, again.idempotency_key) == ("frozen", frozen_id, "key")


@pytest.mark.parametrize(("words", "why"), [("stop", Stop("withdrawn")), ("wait", None)])
async def test_calling_asks_the_domain_once_more(desk: Desk, words: str, why: Stop | None) -> None:
    await desk.tell("task-a")
    task = await desk.claim_one()
    await desk.tell(words)

    permission = await desk.tasks.calling(task, Bound("frozen", new_id(), "key"))

    assert permission == (why or Wait(NOON + timedelta(hours=1), "held"))
    seen = await desk.seen()
    assert (seen.state, seen.frozen) == ("claimed", None)


async def test_calling_waits_for_a_blocked_case(desk: Desk) -> None:
    await desk.tell("task-a")
    task = await desk.claim_one()
    await desk.blocked()

    assert await desk.tasks.calling(task, Bound()) == Wait(NOON + timedelta(seconds=1), "blocked")


async def test_a_claim_whose_lease_ran_out_is_queued_again_and_its_owner_has_lost_it(desk: Desk) -> None:
    await desk.tell("task-a")
    task = await desk.claim_one()

    await desk.world.expire(task.task_id)
    again = await desk.claim_one()

    assert (again.settle, again.epoch, again.attempts) == (False, 3, 2)
    assert await desk.tasks.calling(task, Bound()) == Lost()
    await desk.tasks.again(task, Again(timedelta(0), "late"))
    assert (await desk.seen()).state == "claimed"
    assert await desk.machine.end(ONE, "a", epoch=task.epoch) == "stale"
    assert await desk.machine.end(ONE, "a", epoch=again.epoch) == "applied"


async def test_a_lease_that_was_extended_begins_anew(desk: Desk) -> None:
    await desk.tell("task-a")
    task = await desk.claim_one()
    await desk.world.expire(task.task_id)

    assert await desk.tasks.extend(task)

    assert (await desk.tasks.claim(["count"], 1)).run == []
    assert await desk.machine.end(ONE, "a", epoch=task.epoch) == "applied"


async def test_a_lease_that_somebody_else_has_by_now_is_not_extended(desk: Desk) -> None:
    await desk.tell("task-a")
    task = await desk.claim_one()
    await desk.world.expire(task.task_id)
    again = await desk.claim_one()

    assert not await desk.tasks.extend(task)
    assert await desk.tasks.extend(again)


async def test_a_call_whose_lease_ran_out_is_ambiguous_and_stays_so_if_its_settler_dies_too(
    desk: Desk,
) -> None:
    await desk.tell("task-a")
    task = await desk.claim_one()
    await desk.tasks.calling(task, Bound())

    await desk.world.expire(task.task_id)
    settler = await desk.claim_one()
    assert settler.settle
    await desk.world.expire(task.task_id)

    assert (await desk.claim_one()).settle


async def test_what_may_have_called_out_is_settled_whatever_the_case_says(desk: Desk) -> None:
    await desk.tell("task-a")
    task = await desk.claim_one()
    await desk.tasks.calling(task, Bound())
    await desk.tasks.again(task, Again(timedelta(0), "no answer", ambiguous=True))
    await desk.tell("stop")

    settler = await desk.claim_one()

    assert settler.settle
    assert await desk.tasks.calling(settler, Bound()) == Stop("withdrawn")


async def test_what_may_have_called_out_is_stopped_once_somebody_has_settled_it(desk: Desk) -> None:
    await desk.tell("task-a")
    task = await desk.claim_one()
    await desk.tasks.calling(task, Bound("frozen", new_id(), "key"))
    await desk.machine.end(ONE, "a", epoch=task.epoch, status="needs_person")
    await desk.tell("settled_hurry-a")

    claim = await desk.tasks.claim(["count"], 8)

    assert [(task.key, reason) for task, reason in claim.stopped] == [("a", "completed")]
    assert claim.run == []


async def test_a_finish_counts_once_and_frees_the_task_for_good(desk: Desk) -> None:
    await desk.tell("task-a")
    task = await desk.claim_one()
    end = await desk.machine.ended(ONE, "a", epoch=task.epoch, receipt="r")

    told = [(await desk.machine.shell.handle([replace(end)]))[0].status for _ in range(2)]

    assert told == ["applied", "stale"]
    seen = await desk.seen()
    assert (seen.state, seen.result) == ("done", '{"result":{"receipt":"r"}}')
    assert (await desk.tasks.claim(["count"], 8)).due == 0


async def test_a_task_that_was_hurried_while_it_ran_comes_back_at_once(desk: Desk) -> None:
    await desk.tell("task-a")
    first = await desk.claim_one()
    await desk.tell("hurry-a")

    await desk.tasks.again(first, Again(timedelta(hours=6), "busy"))
    second = await desk.claim_one()
    await desk.tasks.again(second, Again(timedelta(hours=6), "busy"))

    assert (await desk.tasks.claim(["count"], 8)).due == 0


async def test_a_person_s_task_comes_back_when_hurried_and_settles_if_it_had_frozen_its_ids(
    desk: Desk,
) -> None:
    await desk.tell("task-a")
    await desk.tell("task-a", TWO)
    for task in (await desk.tasks.claim(["count"], 8)).run:
        bound = Bound("frozen", new_id(), "key") if task.request_id == ONE else Bound()
        await desk.tasks.calling(task, bound)
        assert await desk.machine.end(task.request_id, "a", epoch=1, status="needs_person") == "applied"
    assert (await desk.tasks.claim(["count"], 8)).due == 0

    await desk.tell("hurry-a")
    await desk.tell("hurry-a", TWO)

    again = {task.request_id: task.settle for task in (await desk.tasks.claim(["count"], 8)).run}
    assert again == {ONE: True, TWO: False}
