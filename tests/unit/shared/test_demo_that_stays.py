"""`make run` stays up for as long as somebody looks at it, and says in a sentence why it did not."""

import asyncio
from pathlib import Path

import pytest

from deploy.demo import run
from deploy.demo.watch import Watch
from deploy.demo.world import Wanted

LONG = 36_000.0


async def test_who_waits_for_work_waits_for_as_long_as_the_demonstration_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop, watch = asyncio.get_running_loop(), Watch("nowhere:1")
    asked, came = asyncio.Event(), asyncio.Event()

    def reached() -> bool:
        asked.set()
        return came.is_set()

    waiting = loop.create_task(watch.whenever(reached))
    await asyncio.wait_for(asked.wait(), 5)
    asked.clear()

    now = loop.time
    monkeypatch.setattr(loop, "time", lambda: now() + LONG)
    await asyncio.wait_for(asked.wait(), 5)
    still = not waiting.done()
    came.set()
    await asyncio.wait_for(waiting, 5)

    assert still


@pytest.mark.parametrize("groups", [1, 3])
def test_what_ended_the_demonstration_is_named_through_however_many_groups_it_came(
    groups: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fails(*_: object, **__: object) -> None:
        error: Exception = TimeoutError("the first closing did not happen within 60 s")
        for _each in range(groups):
            error = ExceptionGroup("unhandled errors in a TaskGroup", [error])
        raise error

    monkeypatch.setattr(run, "demonstrate", fails)

    assert not run.demonstrated(Wanted(Path("nowhere"), 40, 1), stay=True)
    assert capsys.readouterr().out == "not proved: the first closing did not happen within 60 s\n"
