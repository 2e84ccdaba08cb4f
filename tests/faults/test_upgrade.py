"""A rolling upgrade under load: readers first, then the writer, while both versions of its event are alive."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from tests.faults.trial import trial
from tests.faults.world import World

pytestmark = [pytest.mark.connected, pytest.mark.durable, pytest.mark.fault, pytest.mark.long]

NEWER = ("-m", "tests.faults.newer")
READERS = ("intake", "fulfillment", "deadline")
LETTERS = " + ".join(f"(SELECT count(*) FROM {name}.dead_letters)" for name in (*READERS, "verification"))  # noqa: S608 - our own names


@pytest.mark.timeout(600)
async def test_while_services_are_replaced_one_by_one_two_versions_of_an_event_are_read(
    replicated: World,
) -> None:
    world, tape = replicated, replicated.running.tape
    before, begin = await world.rows(f"SELECT {LETTERS}"), len(tape.records)
    async with trial(world, "rolling upgrade, two versions of an event") as found, AsyncExitStack() as newer:
        asking = asyncio.get_running_loop().create_task(found.ask(30, each=1.0))
        for service in READERS:
            await newer.enter_async_context(world.twin(service, program=NEWER))
            await world.terminate(service)
            found.inject()
        await newer.enter_async_context(world.twin("verification", program=NEWER))
        await found.ask(16, each=0.2)
        await world.terminate("verification")
        found.inject()
        await found.ask(4)
        await asking
        await tape.until(lambda: not found.in_flight, within=150, what="all closings")
        kinds = Counter(one.kind for one in tape.records[begin:] if one.topic == "dsar.verified")
        assert min(kinds["dsar.request.verified.v1"], kinds["dsar.request.verified.v2"]) > 0
        assert await world.rows(f"SELECT {LETTERS}") == before
        await found.ends_well(within=1)
        await newer.aclose()
        await world.running.start(*READERS, "verification")
