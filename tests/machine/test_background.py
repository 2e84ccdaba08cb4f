"""Loops outlive what goes wrong in a turn, are woken by work, and end when they are told to."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from shared.background import Loop, Wakeup
from shared.database import until_back


class Script:
    """A turn that does one thing after the other; `reached` is set when nothing is left."""

    def __init__(self, *steps: str | Exception) -> None:
        self.steps = list(steps)
        self.turns = 0
        self.reached = asyncio.Event()

    async def __call__(self) -> bool:
        self.turns += 1
        if not self.steps:
            self.reached.set()
            return False
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step == "work"


async def ran(turn: Callable[[], Awaitable[bool]], reached: asyncio.Event, *, poll: float = 0.001) -> Loop:
    loop = Loop("test", turn, poll_seconds=poll)
    loop.start()
    await asyncio.wait_for(reached.wait(), 5)
    await loop.stop(within=1)
    return loop


async def test_a_loop_goes_on_at_once_while_there_is_work() -> None:
    script = Script("work", "work", "work")

    await ran(script, script.reached, poll=60)

    assert script.turns >= 4


async def test_a_loop_waits_out_trouble_and_counts_a_bug_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Wakeup, "wait", _at_once)
    script = Script(ConnectionResetError(), ZeroDivisionError(), asyncpg.DeadlockDetectedError("x"), "work")

    loop = await ran(script, script.reached)

    assert loop.failures == 1
    assert not loop.alive


async def test_work_that_arrives_during_a_turn_is_not_slept_through() -> None:
    script = Script()
    loop = Loop("test", script, poll_seconds=60)
    loop.wakeup.set()
    loop.start()
    await script.reached.wait()
    script.reached.clear()

    loop.wakeup.set()

    await asyncio.wait_for(script.reached.wait(), 5)
    await loop.stop(within=1)


async def test_a_loop_that_hangs_is_ended_at_its_deadline() -> None:
    began = asyncio.Event()

    async def hang() -> bool:
        began.set()
        await asyncio.Event().wait()
        return False

    loop = Loop("test", hang, poll_seconds=60)
    loop.start()
    await began.wait()

    await loop.stop(within=0.01)

    assert not loop.alive


async def test_a_loop_that_never_started_can_be_stopped() -> None:
    await Loop("test", Script(), poll_seconds=60).stop(within=1)


async def test_until_back_repeats_what_is_transient_and_nothing_else() -> None:
    script = Script(ConnectionRefusedError(), TimeoutError(), "work")

    assert await until_back(script, what="test")

    with pytest.raises(asyncpg.InvalidPasswordError):
        await until_back(Script(asyncpg.InvalidPasswordError("wrong")), what="test")


async def _at_once(_wakeup: Wakeup, _seconds: float) -> None:
    await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0)
