"""A processor's callback on the real database: the order that it is about is looked at soon, and its request ends."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from fastapi import APIRouter, FastAPI

from services.fulfillment.adapters.opendsr import open_callbacks
from services.fulfillment.connected import Connected
from services.fulfillment.connecting import entry_of
from tests.contracts.adapters.test_opendsr_callbacks import a_callback, described
from tests.support.fulfillment_host import FulfillmentHost, fulfillment_host
from tests.support.installation import Installations
from tests.support.told import DOMAIN, Processor

pytestmark = pytest.mark.connected
WAITS = """
SELECT run_at - clock_timestamp() > interval '50 minutes' AS long,
  run_at <= clock_timestamp() + interval '31 seconds' AS soon
FROM tasks WHERE request_id = $1 AND state IN ('ambiguous', 'queued')"""


@pytest.fixture
async def processor(tmp_path: Path) -> AsyncIterator[Processor]:
    opened = await Processor().open(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def service(installations: Installations, processor: Processor) -> AsyncIterator[FulfillmentHost]:
    installation = await installations.make(topics=())
    settings = {**described(processor).settings, "rights": "delete, know_specific"}
    system = described(processor).model_copy(update={"business": "cascadia", "settings": settings})
    receives = open_callbacks(system, processor.clock)
    one = Connected(entry_of(system), system.datamap, processor.adapter(system), receives=receives)
    async with fulfillment_host(installation, [one]) as host:
        yield host


@pytest.mark.parametrize(("right", "answered"), [("delete", False), ("know_specific", True)])
async def test_an_order_is_looked_at_soon_after_its_callback_and_not_an_hour_later(
    service: FulfillmentHost, processor: Processor, right: str, *, answered: bool
) -> None:
    processor.copies["a"] = b'[{"event": "visit"}]'
    processor.copy = {"results_url": f"{processor.address}/v2/copies/a", "results_count": 1}
    asked = await service.asked("ana@example.com", right)
    await service.hear(*asked.facts(right))
    await service.run_tasks()
    before = await waits(service, asked.request_id)

    processor.done()
    assert await called_back(service, processor) == 202
    after = await waits(service, asked.request_id)
    await service.hurry()
    await service.run_tasks()

    assert (before, after) == ((True, False), (False, True))
    [ended] = await service.fulfilled(asked.request_id)
    assert [(each.system, each.outcome) for each in ended.systems] == [("told", "done")]
    assert ((ended.package is not None), ended.systems[0].exported) == (answered, int(answered))


async def test_an_order_whose_callback_comes_while_it_is_looked_at_is_looked_at_again_soon(
    service: FulfillmentHost, processor: Processor
) -> None:
    asked = await service.asked("ana@example.com", "delete")
    await service.hear(*asked.facts("delete"))
    await service.run_tasks()
    heard: list[int] = []

    async def finishes() -> None:
        processor.done()
        heard.append(await called_back(service, processor))

    processor.meanwhile = finishes
    await service.hurry()
    await service.run_tasks()

    assert heard == [202]
    assert await waits(service, asked.request_id) == (False, True)


async def waits(service: FulfillmentHost, request_id: UUID) -> tuple[bool, bool]:
    """Whether its order waits for about an hour, and whether it is looked at within half a minute."""
    [row] = await service.resources.pool.fetch(WAITS, request_id)
    return row["long"], row["soon"]


async def called_back(service: FulfillmentHost, processor: Processor) -> int:
    """The processor calls the service, as it is put together."""
    application, routes = FastAPI(), service.host.parts.routes
    assert routes is not None
    routers = routes(service.host.batcher)
    for router in [routers] if isinstance(routers, APIRouter) else routers:
        application.include_router(router)
    raw = a_callback(subject_request_id=processor.orders()[0]["subject_request_id"])
    headers = {"X-OpenDSR-Processor-Domain": DOMAIN, "X-OpenDSR-Signature": processor.signature(raw)}
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://us") as http:
        return (await http.post("/callbacks/told", content=raw, headers=headers)).status_code
