"""How far an attempt has got: whoever works piece by piece says so after each, and the attempt's time begins anew.

An attempt at a person of very many rows takes as long as it takes; one that gets no further ends.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import replace

from shared.tasks.work import Claimed, GoesOn, unwatched

_GOES_ON: ContextVar[GoesOn] = ContextVar("goes_on", default=unwatched)


async def got_further() -> None:
    """A piece is done.

    Raises:
        LeaseLostError: the task is somebody else's by now.
    """
    await _GOES_ON.get()()


@asynccontextmanager
async def timed(task: Claimed, seconds: float) -> AsyncIterator[Claimed]:
    """The attempt ends when it has not got further for so long; the system's own limit is the runner's, too."""
    async with asyncio.timeout(seconds) as limit:

        async def goes_on() -> None:
            limit.reschedule(asyncio.get_running_loop().time() + seconds)
            await task.goes_on()

        token = _GOES_ON.set(goes_on)
        try:
            yield replace(task, goes_on=goes_on)
        finally:
            _GOES_ON.reset(token)
