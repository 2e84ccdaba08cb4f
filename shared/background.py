"""Loops that run beside a service, and the way they end: none fails unseen, none outlives its deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from shared.database import TRANSIENT

log = structlog.get_logger("background")


class Wakeup:
    """Lets one loop sleep until there is work, or until its poll interval has passed."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """There may be work."""
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Return when woken, after `seconds` at the latest."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), seconds)
        self._event.clear()


class Loop:
    """Repeats `turn` until stopped; `turn` says whether it found work, and if not the loop waits.

    Trouble that is named transient is waited out; anything else is logged, counted as a failure of the loop, and
    the loop goes on after the same wait, since a dead relay must not need a person at night.
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[], Awaitable[bool]],
        *,
        poll_seconds: float,
        wakeup: Wakeup | None = None,
    ) -> None:
        self.name = name
        self.failures = 0
        self._turn = turn
        self._poll = poll_seconds
        self.wakeup = wakeup or Wakeup()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; call once."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=self.name)

    async def stop(self, *, within: float) -> None:
        """Let the turn under way finish, for `within` seconds; then cancel it."""
        self._stopping = True
        self.wakeup.set()
        if self._task is None:
            return
        _, pending = await asyncio.wait({self._task}, timeout=within)
        for task in pending:
            task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def alive(self) -> bool:
        """Whether the loop is running."""
        return self._task is not None and not self._task.done()

    async def _run(self) -> None:
        wait = self._poll
        while not self._stopping:
            try:
                found = await self._turn()
                wait = self._poll
            except TRANSIENT as error:
                log.warning("loop.transient", kind=self.name, error_type=type(error).__name__)
                found, wait = False, min(max(wait, 0.1) * 2, 5.0)
            except Exception:  # a loop outlives the bug of one turn; it is logged and counted
                self.failures += 1
                log.exception("loop.failed", kind=self.name)
                found, wait = False, 1.0
            if not found:
                await self.wakeup.wait(wait)
