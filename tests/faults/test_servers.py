"""PostgreSQL and the broker go away under load and come back: nothing needs a person."""

import asyncio
import random

import pytest

from bench.pace import pause
from tests.faults.extent import FULL
from tests.faults.servers import end_at_once, start_again
from tests.faults.trial import trial
from tests.faults.world import World

pytestmark = [pytest.mark.connected, pytest.mark.durable, pytest.mark.fault]

POSTGRES_SECONDS = 600.0 if FULL else 18.0
BROKER_AWAY_SECONDS = 1200.0 if FULL else 6.0
EVERY = (5.0, 40.0) if FULL else (3.0, 6.0)
GONE = (0.0, 2.0)


@pytest.mark.timeout(1200)
async def test_postgresql_that_is_restarted_again_and_again_loses_nothing(world: World) -> None:
    chance = random.Random(5)  # noqa: S311 - when, not who
    loop = asyncio.get_running_loop()
    async with trial(world, "PostgreSQL restarted under load") as found:
        end = loop.time() + POSTGRES_SECONDS
        asking = loop.create_task(found.ask(int(POSTGRES_SECONDS), each=1.0))
        while loop.time() < end:
            await pause(chance.uniform(*EVERY))
            end_at_once(world.stack, "postgres")
            found.inject()
            await pause(chance.uniform(*GONE))
            await start_again(world.stack)
            found.lift()
        await asking
        found.lift()


@pytest.mark.timeout(1800)
async def test_while_every_broker_is_away_requests_are_taken_and_processes_end_when_told(
    world: World,
) -> None:
    async with trial(world, "every broker away") as found:
        await found.ask(2)
        end_at_once(world.stack, "kafka")
        found.inject()
        for number in range(6):
            await found.ask_one("delete" if number % 2 else "opt_out")
        await pause(BROKER_AWAY_SECONDS)
        assert await world.terminate("deadline") < 45
        found.inject()
        await start_again(world.stack)
        found.lift()
        await world.restart("deadline")
