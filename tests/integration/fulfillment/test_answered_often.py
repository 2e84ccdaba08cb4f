"""The third copy in twelve months, on the real database: a person is asked, and what they say is done."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.events.commands import DecideReview
from shared.events.intake import RequestReceived
from tests.support.facts import RECEIVED_AT, received
from tests.support.fulfillment_host import Asked, FulfillmentHost, fulfillment_host
from tests.support.installation import Installation, Installations
from tests.support.memory_system import MemorySystem, Row, connected, memory_system

pytestmark = pytest.mark.connected
EMAIL = "ada.canary@example.com"
RIGHT = "know_specific"


@pytest.fixture
async def bare(installations: Installations) -> Installation:
    return await installations.make(topics=())


@pytest.fixture
def crm() -> MemorySystem:
    return memory_system("crm", Row("people", 1, {"email": EMAIL}))


@pytest.fixture
async def service(bare: Installation, crm: MemorySystem) -> AsyncIterator[FulfillmentHost]:
    async with fulfillment_host(bare, [connected(crm)]) as opened:
        yield opened


async def _asks(service: FulfillmentHost, month: int) -> Asked:
    """One more request of the same person, in that month, with all of its tasks run."""
    asked = await service.asked(EMAIL, RIGHT)
    receipt, proof = asked.facts(RIGHT)
    assert isinstance(receipt.body, RequestReceived)
    body = received(RIGHT, RECEIVED_AT + timedelta(days=30 * month), claims=receipt.body.claims)
    await service.hear(replace(receipt, body=body), proof)
    await service.run_tasks()
    return asked


async def test_two_copies_are_given_and_about_each_further_one_a_person_decides(
    service: FulfillmentHost, crm: MemorySystem
) -> None:
    for month in (0, 1):
        [end] = await service.fulfilled((await _asks(service, month)).request_id)
        assert end.resolution == "complete"
    looked_for = len(crm.ledger)

    third = await _asks(service, 2)
    assert await service.fulfilled(third.request_id) == []
    said = DecideReview(outcome="deny", actor="operator-1", reason="two were given")
    assert (await service.decided(third, said)).refusal is None
    await service.run_tasks()
    assert len(crm.ledger) == looked_for
    fourth = await _asks(service, 3)
    said = DecideReview(outcome="grant", actor="operator-1", reason="a court asks")
    assert (await service.decided(fourth, said)).refusal is None
    await service.run_tasks()

    [denied], [given] = [await service.fulfilled(one.request_id) for one in (third, fourth)]
    assert (denied.resolution, denied.ground) == ("denied", "answered_often_enough: two were given")
    assert (given.resolution, given.ground) == ("complete", None)
