"""Several processes of one service: frozen past their leases, coming and going, slower than the group allows."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bench.pace import pause
from tests.faults.ears import commit_of, produced_by
from tests.faults.proxy import Trap
from tests.faults.service import LONGEST_POLL
from tests.faults.trial import trial
from tests.faults.world import World
from tests.support.eventually import eventually_async

pytestmark = [pytest.mark.connected, pytest.mark.durable, pytest.mark.fault]

OWNERS = """
SELECT count(DISTINCT owner), max(epoch) FROM verification.outbox_shards WHERE lease_until > clock_timestamp()"""
ROUNDS = 12


@pytest.mark.timeout(240)
async def test_a_relay_frozen_past_its_lease_marks_nothing_when_it_thaws(world: World) -> None:
    pid = world.services.pid("verification")
    log = world.running.settings.home / "logs" / "verification.log"
    ((_, epoch),) = await world.rows(OWNERS)
    async with trial(world, "SIGSTOP of a relay past its lease") as found:
        stop = world.freezing("verification")
        trap = world.kafka.trap(Trap(produced_by("verification"), "after", act=stop, then="deliver"))
        try:
            await found.ask(4)
            await trap.until_sprung()
            async with world.twin("verification"):
                await eventually_async(lambda: _taken_over(world, int(str(epoch))), within=40)
                await found.ask(4)
                os.kill(pid, signal.SIGCONT)
                await eventually_async(lambda: _says(log, "relay.stale_epoch"), within=30)
                await world.running.tape.until(lambda: not found.in_flight, within=100, what="all closings")
        finally:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_members_may_come_and_go_while_events_flow(world: World) -> None:
    async with trial(world, "group members come and go") as found:
        asking = asyncio.get_running_loop().create_task(found.ask(6 * ROUNDS, each=0.8))
        for number in range(ROUNDS):
            service = ("verification", "fulfillment", "deadline")[number % 3]
            async with world.twin(service) as twin:
                found.inject()
                await pause(1.0)
                if number % 2:
                    twin.kill(service)
                found.inject()
        await asking


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_a_batch_slower_than_the_group_allows_is_taken_by_a_second_member_and_applied_once(
    world: World,
) -> None:
    slow = {LONGEST_POLL: "3000"}
    async with trial(world, "handler slower than the longest poll interval") as found:
        await world.terminate("verification")
        async with world.twin("verification", **slow) as first:
            hold = Trap(commit_of("UPDATE cases"), "before", act=_seconds(7.0), then="deliver")
            world.databases["verification"].trap(hold)
            asking = asyncio.get_running_loop().create_task(found.ask(4))
            await hold.until_sprung()
            assert first.pid("verification")
            async with world.twin("verification", **slow):
                await asking
                await world.running.tape.until(lambda: not found.in_flight, within=100, what="all closings")
                assert await _heard_twice(world, "verification")
        await world.restart("verification")


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_two_processes_of_every_service_over_slow_connections_keep_every_order(world: World) -> None:
    services = ("verification", "fulfillment", "deadline")
    async with trial(world, "two writers, commits delayed at random") as found, AsyncExitStack() as twins:
        for service in services:
            await twins.enter_async_context(world.twin(service))
            world.databases[service].delay = (0.0, 0.03)
            found.inject()
        await found.ask(50, each=0.1)
        await world.running.tape.until(lambda: not found.in_flight, within=200, what="all closings")


def _seconds(number: float) -> Callable[[], Awaitable[None]]:
    return lambda: pause(number)


async def _heard_twice(world: World, service: str) -> bool:
    """Whether the process that was started last was given what another had applied."""
    answer = await world.running.http.get(f"{world.services.url(service)}/metrics")
    return 'habeas_messages_total{status="duplicate"}' in answer.text


async def _taken_over(world: World, epoch: int) -> bool:
    ((owners, now),) = await world.rows(OWNERS)
    return owners == 1 and int(str(now)) > epoch


async def _says(log: Path, words: str) -> bool:
    return words.encode() in await asyncio.to_thread(log.read_bytes)
