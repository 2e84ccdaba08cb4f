"""Waiting for what another process does: ask again until a deadline, never for a fixed time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

PAUSE = 0.05

T = TypeVar("T")


def eventually(condition: Callable[[], T], *, within: float = 10.0) -> T:
    """The first truthy answer; an AssertionError in between means "not yet"."""
    deadline = time.monotonic() + within
    while True:
        try:
            answer = condition()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        else:
            if answer or time.monotonic() > deadline:
                return _in_time(answer, within)
        time.sleep(PAUSE)


async def eventually_async(condition: Callable[[], Awaitable[T]], *, within: float = 10.0) -> T:
    """The same for a coroutine function."""
    deadline = time.monotonic() + within
    while True:
        try:
            answer = await condition()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        else:
            if answer or time.monotonic() > deadline:
                return _in_time(answer, within)
        await asyncio.sleep(PAUSE)


def _in_time(answer: T, within: float) -> T:
    assert answer, f"still {answer!r} after {within} s"
    return answer
