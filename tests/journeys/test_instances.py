"""Two of a kind: services that share their work with a second instance of themselves do nothing twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from deploy.demo.plan import RIGHTS, Via
from deploy.demo.processes import Services
from shared.events.deadline import RequestClosed
from shared.private_files import write_private
from tests.support.proven import assert_told
from tests.support.requester import Requester, ask
from tests.support.running import Running

pytestmark = pytest.mark.connected

REQUESTS = 20
TWICE = ("intake", "fulfillment")


@pytest.fixture
async def doubled(running: Running) -> AsyncIterator[Running]:
    """The installation of all journeys, of six processes for a while; people come to the second intake."""
    home = running.settings.home
    before = {home / "run" / f"{name}.url": running.services.url(name) for name in TWICE}
    second = Services(home, running.told)
    try:
        await asyncio.to_thread(second.start, *TWICE)
        yield running
    finally:
        await asyncio.to_thread(second.stop)
        for file, address in before.items():
            write_private(file, address.encode())


async def test_two_instances_of_intake_and_of_fulfillment_share_their_work(doubled: Running) -> None:
    running = doubled
    requesters = await asyncio.gather(*(_asked(running, number) for number in range(REQUESTS)))

    await running.tape.until(
        lambda: all(running.tape.find(one.request_id, RequestClosed) for one in requesters),
        within=120,
        what="closing of all",
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
