"""Standing holds on the real database: placed and released over HTTP, they stop the destruction that they cover."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import FastAPI

from deploy.commands import sign
from services.fulfillment.holding import HoldRegister
from services.fulfillment.holds_api import hold_routes
from services.fulfillment.ports import NeedsPerson
from shared.events.commands import PlaceStandingHold, ReleaseStandingHold, RetryTask
from shared.events.message import Command
from shared.keyfiles import rotate_key
from shared.privacy.holds import hold_hashes
from shared.signing import KeyRing
from tests.support.fulfillment_host import Asked, FulfillmentHost, fulfillment_host
from tests.support.installation import Installation, Installations
from tests.support.memory_system import MemorySystem, Row, connected, memory_system

pytestmark = pytest.mark.connected
EMAIL, BOB = "ada.canary@example.com", "bob.canary@example.com"
WHY = {"business": "cascadia", "actor": "counsel", "reason": "litigation 24-118", "evidence": "LEGAL-9"}
RELEASE = ReleaseStandingHold(actor="counsel", reason="the case was settled", evidence="LEGAL-10")


@pytest.fixture
async def bare(installations: Installations) -> Installation:
    """An installation without topics: nothing here is published."""
    return await installations.make(topics=())


@pytest.fixture
def systems() -> list[MemorySystem]:
    people = [Row("people", 1, {"email": EMAIL}), Row("people", 2, {"email": BOB})]
    return [memory_system(name, *people) for name in ("crm", "dms")]


@pytest.fixture
async def service(bare: Installation, systems: list[MemorySystem]) -> AsyncIterator[FulfillmentHost]:
    async with fulfillment_host(bare, [connected(each) for each in systems]) as opened:
        yield opened


class Pages:
    """The service's page of holds, and whoever signs for it."""

    def __init__(self, service: FulfillmentHost, client: httpx2.AsyncClient) -> None:
        self.service = service
        self.client = client

    async def decided(self, hold: UUID, body: Command, ring: KeyRing | None = None) -> httpx2.Response:
        resources = self.service.resources
        signed = sign(resources.settings, ring or resources.keys.cli(), hold, body)
        headers = {name.replace("ce_", "ce-", 1): value.decode() for name, value in signed.headers}
        return await self.client.post("/holds", headers=headers, content=signed.record[1])

    async def listed(self, *, released: bool = False) -> list[dict[str, Any]]:
        answer = await self.client.get("/holds", params={"released": released})
        found: list[dict[str, Any]] = answer.json()["holds"]
        return found


@pytest.fixture
async def pages(service: FulfillmentHost) -> AsyncIterator[Pages]:
    application = FastAPI()
    application.include_router(hold_routes(HoldRegister(service.resources.pool), service.host.batcher))
    transport = httpx2.ASGITransport(application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://fulfillment") as client:
        yield Pages(service, client)


def on_person(service: FulfillmentHost, email: str) -> PlaceStandingHold:
    hashes = hold_hashes(service.resources.keys.lookup(), "cascadia", "email", email)
    return PlaceStandingHold(scope="person", hashes=hashes, **WHY)


async def asked_to_delete(service: FulfillmentHost, email: str, subject: str) -> Asked:
    asked = await service.asked(email)
    await service.hear(*asked.facts(subject_hash=f"1:{subject * 64}"))
    await service.run_tasks()
    return asked


async def ends(service: FulfillmentHost, asked: Asked) -> list[str]:
    return [end.resolution for end in await service.fulfilled(asked.request_id)]


async def test_a_hold_on_a_person_keeps_their_rows_and_nobody_else_s_until_it_is_released(
    service: FulfillmentHost, systems: list[MemorySystem], pages: Pages
) -> None:
    hold = uuid4()
    assert (await pages.decided(hold, on_person(service, EMAIL.upper()))).status_code == 200

    ada = await asked_to_delete(service, EMAIL, "a")
    bob = await asked_to_delete(service, BOB, "b")

    assert [[row.key for row in system.rows] for system in systems] == [[1], [1]]
    assert (await ends(service, ada), await ends(service, bob)) == ([], ["complete"])

    assert (await pages.decided(hold, RELEASE)).json()["hold_id"] == str(hold)
    await service.run_tasks()

    assert not any(system.rows for system in systems)
    assert await ends(service, ada) == ["complete"]


async def test_a_hold_that_was_placed_before_a_rotation_of_the_key_still_keeps(
    service: FulfillmentHost, systems: list[MemorySystem], pages: Pages
) -> None:
    await pages.decided(uuid4(), on_person(service, EMAIL))
    rotate_key(service.resources.settings.keys, "lookup")

    asked = await asked_to_delete(service, EMAIL, "a")

    assert await ends(service, asked) == []
    assert not any(system.effective() for system in systems)


async def test_a_hold_on_a_system_lets_every_other_system_go_on(
    service: FulfillmentHost, systems: list[MemorySystem], pages: Pages
) -> None:
    await pages.decided(uuid4(), PlaceStandingHold(scope="system", name="crm", **WHY))

    asked = await asked_to_delete(service, EMAIL, "a")

    assert [len(system.effective()) for system in systems] == [0, 1]
    assert (await service.case(asked.request_id)).open == ("act:crm:delete",)


async def test_a_hold_that_comes_while_a_task_waits_for_a_person_is_looked_at_before_the_call(
    service: FulfillmentHost, systems: list[MemorySystem], pages: Pages
) -> None:
    systems[0].before["act"].append(lambda: NeedsPerson("credentials", "renew them"))
    asked = await asked_to_delete(service, EMAIL, "a")
    await pages.decided(uuid4(), PlaceStandingHold(scope="system", name="crm", **WHY))

    await service.decided(asked, RetryTask(task="act:crm:delete", actor="operator", reason="mended"))
    await service.run_tasks()

    assert not systems[0].effective()


async def test_what_stands_is_listed_with_its_reason_and_never_with_whom_it_is_on(
    service: FulfillmentHost, pages: Pages
) -> None:
    hold = uuid4()
    await pages.decided(hold, on_person(service, EMAIL))

    (listed,) = await pages.listed()

    said = {"scope": "person", "name": None, **WHY}
    assert {name: listed[name] for name in said} == said
    assert "hashes" not in listed
    await pages.decided(hold, RELEASE)
    assert await pages.listed() == []
    (over,) = await pages.listed(released=True)
    assert (over["released_by"], over["release_evidence"]) == ("counsel", "LEGAL-10")
    assert await service.resources.pool.fetchval("SELECT hashes FROM holds") == []


async def test_a_hold_whose_signature_is_somebody_else_s_is_refused_and_keeps_nothing(
    pages: Pages,
) -> None:
    body = PlaceStandingHold(scope="system", name="crm", **WHY)

    answer = await pages.decided(uuid4(), body, KeyRing.generate())

    assert (answer.status_code, answer.json()["type"]) == (403, "urn:habeas:problem:signature_invalid")
    assert await pages.listed(released=True) == []


async def test_what_is_no_hold_or_on_nothing_is_refused_with_its_reason(
    pages: Pages,
) -> None:
    retry = RetryTask(task="act:crm:delete", actor="operator", reason="mended")
    misspelt = PlaceStandingHold(scope="system", name="cmr", **WHY)

    taken = await pages.decided(uuid4(), retry)
    refused = await pages.decided(uuid4(), misspelt)
    garbled = await pages.client.post("/holds", headers={"ce-id": "1"}, content=b"{}")

    assert (taken.status_code, refused.status_code, garbled.status_code) == (422, 409, 422)
    assert refused.json()["type"] == "urn:habeas:problem:unknown_system"
