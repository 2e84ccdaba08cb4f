"""A right to a topic is taken away: what needs it waits, readiness says so, and it goes on by itself."""

import httpx2
import pytest

from shared.events.topics import VERIFIED
from tests.faults.rights import without_rights
from tests.faults.trial import trial
from tests.faults.world import World
from tests.support.eventually import eventually_async

pytestmark = [pytest.mark.connected, pytest.mark.durable, pytest.mark.fault]

WRITER, READERS = "verification", ("intake", "fulfillment", "deadline")


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_a_topic_that_may_not_be_written_or_read_holds_up_its_records_until_it_may(
    world: World,
) -> None:
    settings = world.running.settings
    async with trial(world, "right to a topic taken away") as found:
        await found.ask(2)
        async with without_rights(settings.kafka_bootstrap, settings.namespace + VERIFIED.name):
            found.inject()
            await found.ask(6)

            await eventually_async(lambda: _says(world, WRITER, "does not drain dsar.verified"), within=60)
            for reader in READERS:
                await eventually_async(lambda: _says(world, reader, "cannot read dsar.verified"), within=60)  # noqa: B023 - awaited here
        found.lift()
        for service in (WRITER, *READERS):
            await eventually_async(lambda: _is_ready(world, service), within=60)  # noqa: B023 - awaited here


async def _says(world: World, service: str, sentence: str) -> bool:
    said = (await _ready(world, service)).text
    return sentence in said


async def _is_ready(world: World, service: str) -> bool:
    answer = await _ready(world, service)
    return answer.is_success


async def _ready(world: World, service: str) -> httpx2.Response:
    return await world.running.http.get(f"{world.services.url(service)}/ready")
