"""Gathers what arrives one by one (HTTP requests, finished tasks) into batches for the shell."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from shared.events.envelope import Unreadable
from shared.machine.decision import Message
from shared.machine.shell import Result

MOST = 200


class Handles(Protocol):
    """The shell, as far as a batcher needs it."""

    async def handle(self, incoming: Sequence[Message | Unreadable]) -> list[Result]:
        """Apply a batch."""
        ...


class Batcher:
    """While one batch is in its transaction the next one gathers: no timer, no waiting when idle."""

    def __init__(self, shell: Handles) -> None:
        self._shell = shell
        self._waiting: list[tuple[Message, asyncio.Future[Result]]] = []
        self._task: asyncio.Task[None] | None = None

    async def submit(self, message: Message) -> Result:
        """Apply one message together with its neighbours; its result after the commit.

        Raises:
            whatever the batch's transaction raised: it is unknown whether it happened, and safe to repeat.
        """
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((message, future))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            try:
                results = await self._shell.handle([message for message, _ in batch])
            except asyncio.CancelledError:
                _end([future for _, future in (*batch, *self._waiting)], None)
                raise
            except Exception as error:  # noqa: BLE001 - handed to everybody who waits; each decides for itself
                _end([future for _, future in batch], error)
                continue
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)


def _end(futures: Sequence["asyncio.Future[Result]"], error: Exception | None) -> None:
    """Nobody may be left waiting."""
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.cancel()
        else:
            future.set_exception(error)
