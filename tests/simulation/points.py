"""Processes, and the points between their effects: at each of them the scheduler may go on, fail, lose, or kill.

A process that was killed does nothing more: its tasks are cancelled where they stand, and whatever they try on the
way out reaches no port.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import asyncpg

Fate = Literal["go", "fail", "lose", "other"]
RUNNING_IN: Final[ContextVar["Process | None"]] = ContextVar("running_in", default=None)


class KilledError(BaseException):
    """The process is gone."""


@dataclass(slots=True, eq=False)
class Waiting:
    """A task that stands before an effect; `fates` are what may become of it besides going on."""

    process: "Process"
    place: str
    fates: tuple[Fate, ...]
    future: "asyncio.Future[Fate]"


@dataclass(eq=False)
class Process:
    """One process of one service: what it does at the moment, by the name of its loop."""

    service: str
    number: int
    queue: list[Waiting]
    alive: bool = True
    tasks: set["asyncio.Task[Any]"] = field(default_factory=set)
    busy: dict[str, "asyncio.Task[Any]"] = field(default_factory=dict)
    failed: Callable[[BaseException], None] = lambda _error: None

    @property
    def name(self) -> str:
        return f"{self.service}-{self.number}"

    async def point(self, place: str, *fates: Fate) -> Fate:
        """Stand still until the scheduler says what becomes of the effect that follows."""
        self.check()
        future: asyncio.Future[Fate] = asyncio.get_running_loop().create_future()
        waiting = Waiting(self, place, fates, future)
        self.queue.append(waiting)
        try:
            fate = await future
        finally:
            if waiting in self.queue:
                self.queue.remove(waiting)
        self.check()
        return fate

    async def before(self, place: str) -> None:
        """A point at which the database may be away: nothing has happened then."""
        if await self.point(place, "fail") == "fail":
            raise asyncpg.ConnectionDoesNotExistError("away")

    async def after(self, place: str) -> None:
        """A point at which the answer may be lost: it has happened then."""
        if await self.point(place, "lose") == "lose":
            raise asyncpg.ConnectionDoesNotExistError("lost")

    def check(self) -> None:
        if not self.alive:
            raise KilledError(self.name)

    def start(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        """Run one turn of a loop in this process."""
        token = RUNNING_IN.set(self)
        try:
            task = asyncio.get_event_loop().create_task(work, name=f"{self.name}.{name}")
        finally:
            RUNNING_IN.reset(token)
        self.busy[name] = task
        task.add_done_callback(lambda done: self._ended(name, done))

    def kill(self) -> None:
        self.alive = False
        for task in list(self.tasks):
            task.cancel()

    def _ended(self, name: str, task: "asyncio.Task[Any]") -> None:
        if self.busy.get(name) is task:
            del self.busy[name]
        if not task.cancelled() and (error := task.exception()) is not None and self.alive:
            self.failed(error)


def adopting(loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> "asyncio.Task[Any]":
    """A task factory: every task belongs to the process that made it."""
    task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **more)
    process = RUNNING_IN.get()
    if process is not None:
        process.tasks.add(task)
        task.add_done_callback(process.tasks.discard)
    return task
