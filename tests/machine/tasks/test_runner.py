"""The runner: what was called is never called again unproved, what must wait is not ended, what is lost comes back."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from shared.tasks import runner as runner_settings
from shared.tasks.runner import Runner, backoff
from shared.tasks.work import Again, Answer, Claimed, Finished
from tests.support.faulty_store import FaultyStore
from tests.support.machine import Machine, Upstream, request
from tests.support.script_handler import FROZEN, Act, Hanging, ScriptHandler
from tests.support.store_worlds import SeenTask, StoreWorld

ONE, TWO = request(1), request(2)


class Works:
    """A service whose tasks run by a script; a second runner is another process."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.handler = ScriptHandler()
        self.upstream = Upstream()
        self.runner = self.another()

    def another(self, width: int = 4) -> Runner:
        machine = self.machine
        return Runner(machine.tasks, {"count": self.handler}, machine.batcher, machine.clock, width=width)

    async def hear(self, words: str, number: int = 1) -> None:
        await self.machine.hear(self.upstream.event(request(number), words))

    async def turn(self, runner: Runner | None = None) -> bool:
        """One turn, with everything that it started at its end; whether an attempt was made, or more may be due."""
        before = self.handler.runs
        more = await (runner or self.runner).turn()
        await (runner or self.runner).drain(within=5)
        return more or self.handler.runs > before

    async def task(self, key: str = "a", number: int = 1) -> SeenTask:
        found = await self.machine.world.task(request(number), key)
        assert found is not None
        return found

    async def crash(self) -> None:
        """The process dies in the middle of its call, and its lease runs out."""
        hanging = Hanging()
        self.handler.act = hanging
        await self.runner.turn()
        await hanging.reached.wait()
        await self.runner.drain(within=0)
        await self.machine.world.expire((await self.task()).task_id)
        self.handler.act = ScriptHandler().act


@pytest.fixture
def works(machine: Machine) -> Works:
    return Works(machine)


def answering(answer: Answer) -> Act:
    async def act(_task: Claimed) -> Answer:
        return answer

    return act


async def test_a_task_runs_once_and_its_end_reaches_the_case(works: Works) -> None:
    await works.hear("task-a")

    assert await works.turn()
    assert not await works.turn()

    assert works.handler.called == [(ONE, "key of a")]
    assert (await works.machine.case(ONE)).ended == {"a": "done"}
    assert (await works.task()).result == '{"result":{"receipt":"r"}}'
    await works.machine.is_sound(ONE)


async def test_a_crash_in_the_middle_of_a_call_is_settled_and_never_called_again_unproved(
    works: Works,
) -> None:
    await works.hear("task-a")
    await works.crash()
    works.handler.proved = Finished("done", {"proved": True})

    await works.turn(works.another())

    assert len(works.handler.called) == 1
    (settler,) = works.handler.settled
    assert (settler.frozen, settler.idempotency_key) == (FROZEN, "key of a")
    assert (await works.machine.case(ONE)).ended == {"a": "done"}


async def test_what_proof_shows_undone_is_called_again_under_the_same_key(works: Works) -> None:
    await works.hear("task-a")
    await works.crash()

    await works.turn(works.another())

    assert works.handler.called == [(ONE, "key of a")] * 2
    assert (await works.task()).state == "done"


async def test_a_crash_before_the_call_leaves_nothing_to_settle(works: Works) -> None:
    reached = asyncio.Event()

    async def die(_task: Claimed) -> None:
        reached.set()
        await asyncio.Event().wait()

    works.handler.before_calling = die
    await works.hear("task-a")
    await works.runner.turn()
    await reached.wait()
    await works.runner.drain(within=0)
    await works.machine.world.expire((await works.task()).task_id)
    works.handler.before_calling = None

    await works.turn(works.another())

    assert works.handler.settled == []
    assert len(works.handler.called) == 1


async def test_the_late_answer_of_one_who_lost_his_lease_is_ignored(works: Works) -> None:
    async def slow(task: Claimed) -> Answer:
        await works.machine.world.expire(task.task_id)
        works.handler.act = ScriptHandler().act
        works.handler.proved = Finished("needs_person", {"reason": "unclear"})
        await works.turn(works.another())
        return Finished("done", {"receipt": "too late"})

    works.handler.act = slow
    await works.hear("task-a")

    await works.turn()

    assert (await works.machine.case(ONE)).ended == {"a": "needs_person"}
    assert (await works.task()).state == "needs_person"
    await works.machine.is_sound(ONE)


@pytest.mark.parametrize(
    ("act", "state"),
    [("after", "ambiguous"), ("before", "queued")],
)
async def test_a_bug_before_the_call_is_tried_again_and_one_after_it_is_settled(
    works: Works, act: str, state: str
) -> None:
    async def bug(_task: Claimed) -> Answer:
        raise ZeroDivisionError

    if act == "before":
        works.handler.before_calling = bug
    works.handler.act = bug
    await works.hear("task-a")

    await works.turn()

    assert (await works.task()).state == state
    assert not await works.turn()
    works.machine.clock.pass_(seconds=2)
    assert await works.turn()


async def test_a_handler_that_takes_too_long_is_ended_and_settled(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_settings, "HANDLER_SECONDS", 0.05)
    works.handler.act = Hanging()
    await works.hear("task-a")

    await works.turn()

    assert (await works.task()).state == "ambiguous"


async def test_a_handler_that_gets_on_may_take_longer_than_its_time(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def much(task: Claimed) -> Answer:
        over = asyncio.Event()
        asyncio.get_running_loop().call_later(0.15, over.set)
        monkeypatch.setattr(runner_settings, "HANDLER_SECONDS", 5)
        await task.goes_on()
        await over.wait()
        return Finished("done", {"receipt": "late"})

    monkeypatch.setattr(runner_settings, "HANDLER_SECONDS", 0.1)
    works.handler.act = much
    await works.hear("task-a")

    await works.turn()

    assert (await works.task()).state == "done"


async def test_a_handler_whose_task_is_somebody_elses_by_now_stops_and_moves_nothing(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def overtaken(task: Claimed) -> Answer:
        await works.machine.world.expire(task.task_id)
        await works.machine.tasks.claim(["count"], 1)
        await task.goes_on()
        return Finished("done", {"receipt": "of nobody"})

    monkeypatch.setattr(runner_settings, "EXTENDED_AFTER", 0)
    works.handler.act = overtaken
    await works.hear("task-a")

    await works.turn()

    found = await works.task()
    assert (found.state, found.result) == ("calling", None)


async def test_what_is_not_ready_yet_comes_back_at_its_time(works: Works) -> None:
    works.handler.act = answering(Again(timedelta(minutes=10), "busy"))
    await works.hear("task-a")
    await works.turn()
    works.handler.act = ScriptHandler().act

    works.machine.clock.pass_(minutes=9)
    assert not await works.turn()
    works.machine.clock.pass_(minutes=1)
    assert await works.turn()

    assert works.handler.settled == []
    assert (await works.task()).state == "done"


async def test_a_withdrawn_task_ends_as_canceled_without_a_call(works: Works) -> None:
    await works.hear("task-a_stop")

    await works.turn()

    assert works.handler.called == []
    assert (await works.machine.case(ONE)).ended == {"a": "canceled"}
    assert (await works.task()).result == '{"result":{"reason":"withdrawn"}}'


async def test_a_withdrawal_between_claim_and_call_stops_the_call(works: Works) -> None:
    async def withdraw(_task: Claimed) -> None:
        await works.hear("stop")

    works.handler.before_calling = withdraw
    await works.hear("task-a")

    await works.turn()

    assert works.handler.called == []
    assert (await works.task()).result == '{"result":{"reason":"withdrawn"}}'


@pytest.mark.parametrize(
    "when_denied", [Finished("canceled", {"reason": "not_permitted"}), Again(timedelta(hours=2), "denied")]
)
async def test_a_hold_between_claim_and_call_makes_the_task_wait_and_not_end(
    works: Works, when_denied: Answer
) -> None:
    async def hold(_task: Claimed) -> None:
        await works.hear("wait")

    works.handler.before_calling = hold
    works.handler.when_denied = when_denied
    await works.hear("task-a")
    await works.turn()
    assert works.handler.called == []
    assert (await works.task()).state == "queued"

    works.handler.before_calling = None
    works.machine.clock.pass_(hours=2)
    await works.hear("go")
    await works.turn()

    assert (await works.machine.case(ONE)).ended == {"a": "done"}


async def test_a_case_blocked_between_claim_and_call_makes_the_task_wait_and_not_end(works: Works) -> None:
    async def block(_task: Claimed) -> None:
        await works.machine.hear(works.upstream.command(ONE, "poison"))

    works.handler.before_calling = block
    await works.hear("task-a")
    await works.turn()
    works.handler.before_calling = None
    works.machine.clock.pass_(minutes=5)
    assert not await works.turn()

    works.machine.domain.broken = False
    await works.machine.world.unblock(ONE)
    await works.turn()

    assert (await works.machine.case(ONE)).ended == {"a": "done"}


async def test_a_withdrawal_ends_what_could_not_be_proved_and_may_not_be_done_again(works: Works) -> None:
    await works.hear("task-a")
    await works.crash()
    works.handler.when_denied = Again(timedelta(minutes=15), "not_permitted", ambiguous=True)
    await works.hear("stop")

    await works.turn(works.another())

    assert len(works.handler.called) == 1
    assert (await works.machine.case(ONE)).ended == {"a": "canceled"}


async def test_an_end_is_told_again_when_the_database_was_away(store_world: StoreWorld) -> None:
    faults = FaultyStore(store_world.store)
    works = Works(Machine(store_world, store=faults))
    await works.hear("task-a")
    faults.before_commit.append(asyncpg.ConnectionDoesNotExistError("gone"))
    faults.after_commit.append(asyncpg.ConnectionDoesNotExistError("the answer was lost"))

    await works.turn()

    assert works.handler.called == [(ONE, "key of a")]
    assert (await works.machine.case(ONE)).ended == {"a": "done"}
    await works.machine.is_sound(ONE)


async def test_no_more_run_at_once_than_the_width_and_every_task_gets_its_turn(works: Works) -> None:
    running, most = 0, 0

    async def count(_task: Claimed) -> Answer:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.001)
        running -= 1
        return Finished("done")

    works.handler.act = count
    for number in range(20):
        await works.hear("task-a", number)

    while await works.runner.turn():
        pass
    await works.runner.drain(within=5)

    assert most <= 4
    assert {(await works.task("a", number)).state for number in range(20)} == {"done"}


async def test_waiting_tasks_do_not_hold_up_the_others(works: Works) -> None:
    for number in range(10):
        await works.hear("task-a_wait", number)
    works.machine.clock.pass_(minutes=1)
    await works.hear("task-b", 20)

    while await works.turn():
        pass

    assert works.handler.called == [(request(20), "key of b")]


def test_the_wait_between_attempts_doubles_up_to_a_quarter_of_an_hour() -> None:
    waits = [backoff(attempts) for attempts in (1, 2, 3, 50)]

    assert waits == [timedelta(seconds=2), timedelta(seconds=4), timedelta(seconds=8), timedelta(minutes=15)]
