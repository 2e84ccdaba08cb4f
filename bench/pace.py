"""Waiting until a moment, by the loop's own timer."""

import asyncio


async def until(moment: float) -> None:
    """Return when the loop's clock says `moment`; at once if it has passed."""
    loop = asyncio.get_running_loop()
    reached = asyncio.Event()
    timer = loop.call_at(moment, reached.set)
    try:
        await reached.wait()
    finally:
        timer.cancel()


async def pause(seconds: float) -> None:
    """Let this much time pass."""
    await until(asyncio.get_running_loop().time() + seconds)
