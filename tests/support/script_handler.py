"""A task handler that does what a test tells it, and writes down every call to the outside."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from shared.ids import new_id
from shared.tasks.work import Answer, Calling, Claimed, Finished

Act = Callable[[Claimed], Awaitable[Answer]]
FROZEN = "sealed ids"


async def done(_task: Claimed) -> Answer:
    return Finished("done", {"receipt": "r"})


@dataclass
class ScriptHandler:
    """Asks for the call, calls, answers; a settling attempt proves first."""

    act: Act = done
    proved: Answer | None = None
    called: list[tuple[UUID, str]] = field(default_factory=list)
    settled: list[Claimed] = field(default_factory=list)
    denied: int = 0
    runs: int = 0
    before_calling: Callable[[Claimed], Awaitable[object]] | None = None
    when_denied: Answer = field(default_factory=lambda: Finished("canceled", {"reason": "not_permitted"}))

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        self.runs += 1
        if task.settle:
            self.settled.append(task)
            if self.proved is not None:
                return self.proved
        if self.before_calling is not None:
            await self.before_calling(task)
        key = task.idempotency_key or f"key of {task.key}"
        if not await calling(frozen=FROZEN, frozen_id=task.frozen_id or new_id(), idempotency_key=key):
            self.denied += 1
            return self.when_denied
        self.called.append((task.request_id, key))
        return await self.act(task)


class Hanging:
    """An outside that never answers; `reached` is set once somebody called."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()

    async def __call__(self, _task: Claimed) -> Answer:
        self.reached.set()
        await asyncio.Event().wait()
        raise AssertionError("nothing ever sets that event")
