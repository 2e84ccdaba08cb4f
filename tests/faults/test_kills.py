"""Processes that die, or are told to end, at the worst moments that the wire shows."""

import asyncio
from collections import Counter

import pytest

from tests.faults.ears import OFFSET_COMMIT, Hears, commit_of, produced_by
from tests.faults.proxy import Trap
from tests.faults.trial import trial
from tests.faults.world import World

pytestmark = [pytest.mark.connected, pytest.mark.durable, pytest.mark.fault]

COUNTS = """
SELECT (SELECT count(*) FROM intake.cases), (SELECT count(*) FROM intake.outbox), (SELECT count(*) FROM intake.audit)
"""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_form_that_intake_died_over_is_one_request_when_it_is_sent_again(
    world: World, when: str
) -> None:
    name = {"before": "kill -9 of intake before a commit", "after": "kill -9 of intake after a commit"}[when]
    async with trial(world, name) as found:
        known = await world.rows(COUNTS)
        act = world.killing("intake")
        trap = world.databases["intake"].trap(
            Trap(commit_of("INSERT INTO outbox"), "before" if when == "before" else "after", act=act)
        )
        asking = asyncio.get_running_loop().create_task(found.ask_one())
        await trap.until_sprung()

        left = await world.rows(COUNTS)
        await world.restart("intake")
        await asking

        assert (left == known) is (when == "before")


@pytest.mark.timeout(240)
async def test_a_relay_that_died_before_it_could_mark_sends_again_and_readers_ignore_it(world: World) -> None:
    tape = world.running.tape
    async with trial(world, "kill -9 of a relay after the acknowledgement") as found:
        act = world.killing("verification")
        trap = world.kafka.trap(Trap(produced_by("verification"), "after", act=act))
        await found.ask(6)
        await trap.until_sprung()
        await world.restart("verification")
    times = Counter(one.id for one in tape.records if one.topic == "dsar.verified")
    assert max(times.values()) > 1


@pytest.mark.timeout(240)
async def test_consumers_that_die_inside_a_transaction_or_before_their_offsets_lose_nothing(
    world: World,
) -> None:
    async with trial(world, "kill -9 of consumers around their commits") as found:
        inside = world.databases["verification"].trap(
            Trap(commit_of("UPDATE cases"), "before", act=world.killing("verification"))
        )
        between = world.kafka.trap(
            Trap(Hears(f"{OFFSET_COMMIT} habeas-fulfillment"), "before", act=world.killing("fulfillment"))
        )
        after = world.databases["deadline"].trap(
            Trap(commit_of("UPDATE cases"), "after", act=world.killing("deadline"))
        )
        await found.ask(8)
        async with asyncio.TaskGroup() as group:
            for trap, service in ((inside, "verification"), (between, "fulfillment"), (after, "deadline")):
                group.create_task(_revived(world, trap, service))


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_services_that_are_told_to_end_in_the_middle_of_their_work_lose_nothing(world: World) -> None:
    async with trial(world, "SIGTERM in the middle of work") as found:
        traps = [
            (world.databases[service].trap(_told_to_end(world, service)), service)
            for service in world.databases
        ]
        async with asyncio.TaskGroup() as group:
            group.create_task(found.ask(12, each=0.2))
            for trap, service in traps:
                group.create_task(_ended_and_revived(world, trap, service))


@pytest.mark.timeout(240)
async def test_a_worker_that_died_after_a_system_had_acted_proves_before_it_acts_again(world: World) -> None:
    async with trial(world, "kill -9 of a worker after the system acted") as found:
        trap = world.systems.trap(Trap(commit_of("DELETE"), "after", act=world.killing("fulfillment")))
        await found.ask(4)
        await _revived(world, trap, "fulfillment")


def _told_to_end(world: World, service: str) -> Trap:
    act = world.telling_to_end(service)
    return Trap(commit_of("UPDATE cases"), "before", act=act, then="deliver")


async def _revived(world: World, trap: Trap, service: str) -> None:
    await trap.until_sprung()
    await world.restart(service)


async def _ended_and_revived(world: World, trap: Trap, service: str) -> None:
    await trap.until_sprung()
    await world.ended(service)
    await world.restart(service)
