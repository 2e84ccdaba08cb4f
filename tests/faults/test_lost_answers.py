"""Answers that never arrive: of a commit, of a produce request, of a system that has acted."""

import pytest
from aiokafka.errors import NotEnoughReplicasAfterAppendError

from tests.faults.ears import commit_of, produced_by, refused
from tests.faults.proxy import Trap
from tests.faults.trial import trial
from tests.faults.world import World

pytestmark = [pytest.mark.connected, pytest.mark.durable, pytest.mark.fault]


async def test_a_commit_whose_answer_is_lost_advances_every_state_once(world: World) -> None:
    async with trial(world, "lost answer of a commit") as found:
        traps = [
            proxy.trap(Trap(commit_of("UPDATE cases"), "after", times=3))
            for proxy in world.databases.values()
        ]
        await found.ask(12, each=0.1)
        for trap in traps:
            await trap.until_sprung()


async def test_a_record_that_the_broker_took_without_saying_so_is_applied_once(world: World) -> None:
    async with trial(world, "lost answer of the broker") as found:
        traps = [
            world.kafka.trap(Trap(produced_by(service), "after", times=2)) for service in world.databases
        ]
        await found.ask(12, each=0.1)
        for trap in traps:
            await trap.until_sprung()


async def test_a_record_that_was_appended_to_too_few_copies_is_applied_once(world: World) -> None:
    """The proxy makes up the answer, since the record must lie there; test_brokers.py truly misses a copy."""
    refusal = refused(NotEnoughReplicasAfterAppendError.errno)
    async with trial(world, "appended to too few copies") as found:
        traps = [
            world.kafka.trap(Trap(produced_by(service), "after", times=2, then="deliver", alters=refusal))
            for service in world.databases
        ]
        await found.ask(8, each=0.1)
        for trap in traps:
            await trap.until_sprung()


async def test_a_system_that_acted_without_saying_so_is_asked_before_anything_is_done_again(
    world: World,
) -> None:
    async with trial(world, "lost answer of a system") as found:
        trap = world.systems.trap(Trap(commit_of("DELETE"), "after", times=4))
        await found.ask(8, each=0.1)
        await trap.until_sprung()
