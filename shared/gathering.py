"""Gathers what arrives one by one into batches: one round of work for all who ask while another one runs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Given = TypeVar("Given")


class Gathering(Generic[Asked, Given]):
    """While one batch is at work the next one gathers: no timer, no waiting when idle."""

    def __init__(self, work: Callable[[Sequence[Asked]], Awaitable[Sequence[Given]]], *, most: int) -> None:
        self._work = work
        self._most = most
        self._waiting: list[tuple[Asked, asyncio.Future[Given]]] = []
        self._task: asyncio.Task[None] | None = None

    async def submit(self, asked: Asked) -> Given:
        """Have this done together with its neighbours.

        Raises:
            whatever the batch's work raised: it is unknown whether it happened.
        """
        future: asyncio.Future[Given] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        if self._task is None or self._task.done():
            # Nobody's own context: the one who came first would lend its time limit to all who come later.
            self._task = asyncio.get_running_loop().create_task(self._run(), context=Context())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                answers = await self._work([asked for asked, _ in batch])
            except asyncio.CancelledError:
                _end([future for _, future in (*batch, *self._waiting)], None)
                raise
            except Exception as error:  # noqa: BLE001 - handed to everybody who waits; each decides for itself
                _end([future for _, future in batch], error)
                continue
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)


def _end(futures: "Sequence[asyncio.Future[Given]]", error: Exception | None) -> None:
    """Nobody may be left waiting."""
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.cancel()
        else:
            future.set_exception(error)
