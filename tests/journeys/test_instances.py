"""Two of a kind: services that share their work with a second instance of themselves do nothing twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from deploy.demo.plan import RIGHTS, Via
from deploy.demo.processes import Services
from shared.events.deadline import RequestClosed
from tests.support.installation import Installations
from tests.support.proven import assert_told
from tests.support.requester import Requester, ask
from tests.support.running import Running, environment, four_services
from tests.support.town import Town

pytestmark = pytest.mark.connected

REQUESTS = 20
TWICE = ("intake", "fulfillment")


@pytest.fixture(scope="module")
async def running(installations: Installations, town: Town) -> AsyncIterator[Running]:
    """An installation of six processes."""
    installation = await installations.make()
    second = Services(installation.settings.home, environment(installation))
    async with four_services(installation, town) as found:
        try:
            await asyncio.to_thread(second.start, *TWICE)
            yield found
        finally:
            await asyncio.to_thread(second.stop)


async def test_two_instances_of_intake_and_of_fulfillment_share_their_work(running: Running) -> None:
    requesters = await asyncio.gather(*(_asked(running, number) for number in range(REQUESTS)))

    await running.tape.until(
        lambda: running.tape.count(RequestClosed) == REQUESTS, within=120, what="closing of all"
    )

    for requester in requesters:
        assert (await requester.closed()).in_time
        kinds = Counter(one.kind for one in running.tape.about(requester.request_id))
        assert (kinds["dsar.request.fulfilled.v1"], kinds["dsar.request.closed.v1"]) == (1, 1)
        mails = [mail.message_id for mail in running.mailbox.about(requester.request_id)]
        assert len(mails) == len(set(mails))
        await assert_told(requester)
    await running.town.unharmed()


async def _asked(running: Running, number: int) -> Requester:
    right = RIGHTS[number % len(RIGHTS)]
    via: Via = "http" if number % 2 == 0 else "kafka"
    return await ask(running, running.town.somebody(), right, via=via, key=f"one-of-two-instances-{number}")
