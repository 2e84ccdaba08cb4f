"""Everything is stopped in the middle, servers and services, and started again: nothing is lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from deploy.demo.plan import RIGHTS, Via
from deploy.local import stack
from deploy.local.stack import StackInfo
from shared.events.deadline import RequestClosed
from shared.events.intake import RequestReceived
from tests.support.installation import Installations
from tests.support.proven import assert_told
from tests.support.requester import Requester, ask
from tests.support.running import Running, four_services
from tests.support.stack import outlives_the_tests
from tests.support.town import Town

pytestmark = [pytest.mark.connected, pytest.mark.durable]

REQUESTS = 12


@pytest.fixture(scope="module")
async def own_servers(
    servers: StackInfo, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[StackInfo]:
    """A stack that may be stopped; on servers of somebody else's there is none."""
    if outlives_the_tests() or not servers.broker.startswith("apache-kafka"):
        pytest.skip(
            "needs an embedded stack with the real Apache Kafka; these tests run on " + servers.broker
        )
    home = tmp_path_factory.mktemp("stopped") / ".habeas"
    yield await asyncio.to_thread(stack.up, home)
    await asyncio.to_thread(stack.reset, home)


@pytest.fixture(scope="module")
async def running(own_servers: StackInfo, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """An installation and a business on that stack."""
    installations = Installations(own_servers, tmp_path_factory.mktemp("installations"), tidy=False)
    town = await Town.build(own_servers.database_url, tmp_path_factory.mktemp("town"))
    async with four_services(await installations.make(), town) as found:
        yield found


@pytest.mark.timeout(420)
async def test_a_restart_of_everything_in_the_middle_loses_nothing(
    running: Running, own_servers: StackInfo
) -> None:
    requesters = await asyncio.gather(*(_asked(running, number) for number in range(REQUESTS)))
    waiting = await ask(running, running.town.somebody(), "delete", proof="code", key="waits-for-its-code")
    await running.tape.until(lambda: running.tape.count(RequestReceived) > 0)

    await asyncio.to_thread(running.services.stop)
    closed_before = running.tape.count(RequestClosed)
    await running.away()
    await asyncio.to_thread(stack.down, own_servers.home)
    back = await asyncio.to_thread(stack.up, own_servers.home)
    await running.start()
    await running.back()
    await waiting.prove()

    assert closed_before < REQUESTS
    assert (back.kafka_bootstrap, back.database_url) == (
        own_servers.kafka_bootstrap,
        own_servers.database_url,
    )
    everybody = [*requesters, waiting]
    await running.tape.until(
        lambda: running.tape.count(RequestClosed) == len(everybody), within=200, what="closing of all"
    )
    for requester in everybody:
        assert (await requester.closed()).in_time
        kinds = Counter(one.kind for one in running.tape.about(requester.request_id))
        assert (kinds["dsar.request.fulfilled.v1"], kinds["dsar.request.closed.v1"]) == (1, 1)
        await assert_told(requester)
    await running.town.unharmed()


async def _asked(running: Running, number: int) -> Requester:
    right = RIGHTS[number % len(RIGHTS)]
    via: Via = "http" if number % 2 == 0 else "kafka"
    return await ask(running, running.town.somebody(), right, via=via, key=f"before-the-restart-{number}")
