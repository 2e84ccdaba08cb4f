"""What arrives one by one is gathered while the batch before it is in its transaction."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.events.envelope import Unreadable
from shared.events.intake import RequestWithdrawn
from shared.machine.batcher import MOST, Batcher
from shared.machine.decision import Message
from shared.machine.parts import Result
from tests.support.machine import NOON, Machine, local, request


class SlowShell:
    """Handles a batch when it is let go."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.go = asyncio.Event()
        self.errors: list[Exception] = []

    async def handle(self, incoming: Sequence[Message | Unreadable]) -> list[Result]:
        self.sizes.append(len(incoming))
        await self.go.wait()
        if self.errors:
            raise self.errors.pop(0)
        return [Result(item, "applied") for item in incoming]


def told(number: int, words: str = "a") -> Message:
    return local(request(number), RequestWithdrawn(withdrawn_at=NOON, audit_head=words))


async def submitted(batcher: Batcher, count: int) -> list["asyncio.Task[Result]"]:
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(batcher.submit(told(number))) for number in range(count)]
    await asyncio.wait(tasks, timeout=0.01)
    return tasks


async def test_who_waits_gets_the_answer_of_his_own_message() -> None:
    shell = SlowShell()
    batcher = Batcher(shell)
    tasks = await submitted(batcher, MOST + 50)

    shell.go.set()
    results = await asyncio.gather(*tasks)

    assert [result.message.request_id for result in results] == [request(n) for n in range(MOST + 50)]
    assert max(shell.sizes) <= MOST
    assert sum(shell.sizes) == MOST + 50
    assert len(shell.sizes) < 5


async def test_a_batch_s_error_is_everybody_s_who_was_in_it_and_nobody_else_s() -> None:
    shell = SlowShell()
    batcher = Batcher(shell)
    shell.errors.append(ConnectionResetError())
    tasks = await submitted(batcher, 3)

    shell.go.set()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    (later,) = await asyncio.gather(*await submitted(batcher, 1))

    first = shell.sizes[0]
    assert [isinstance(one, ConnectionResetError) for one in ended] == [n < first for n in range(3)]
    assert later.status == "applied"


async def test_one_who_stops_waiting_disturbs_nobody() -> None:
    shell = SlowShell()
    batcher = Batcher(shell)
    gone, stays = await submitted(batcher, 2)

    gone.cancel()
    shell.go.set()

    assert (await stays).status == "applied"
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_over_a_real_shell_a_poison_message_is_its_sender_s_alone(machine: Machine) -> None:
    messages = [told(number, "poison" if number == 3 else "a") for number in range(8)]

    results = await asyncio.gather(*(machine.batcher.submit(message) for message in messages))

    assert [result.status for result in results] == ["dead" if n == 3 else "applied" for n in range(8)]
    assert results[0].case.heard == ("a",)
