"""What staff do by hand in the demonstration: every task that comes to their systems, once."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from contextlib import AsyncExitStack
from typing import Any, Literal
from uuid import UUID

from deploy.commands import send_command
from deploy.demo.watch import Watch
from shared.events.commands import CompleteTask
from shared.hosting import Resources, open_resources
from shared.settings import Settings

Do = Callable[[Resources, UUID, str], Coroutine[Any, Any, None]]


async def work(settings: Settings, watch: Watch, systems: Collection[str], do: Do) -> None:
    """Do what these systems' people have to do, until canceled."""
    done: set[tuple[UUID, str]] = set()

    def waiting() -> list[tuple[UUID, str]]:
        return sorted(one for one in set(watch.by_hand) - done if set(one[1].split(":")) & set(systems))

    async with AsyncExitStack() as stack:
        resources = await open_resources(settings, "fulfillment", stack)
        while True:
            await watch.whenever(lambda: bool(waiting()))
            fresh = waiting()
            async with asyncio.TaskGroup() as group:
                for request_id, task in fresh:
                    group.create_task(do(resources, request_id, task))
            done.update(fresh)


async def end(
    settings: Settings, one: tuple[UUID, str], outcome: Literal["done", "nothing"], reason: str, evidence: str
) -> None:
    """A clerk ends this request's task, and says where it can be looked up."""
    request_id, task = one
    word = CompleteTask(task=task, outcome=outcome, actor="clerk", reason=reason, evidence=evidence)
    await send_command(settings, request_id, word)
