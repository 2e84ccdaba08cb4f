"""A processor's callback is believed for its signature over the raw bytes alone, and only leads to a look."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from services.fulfillment.adapters.opendsr import open_callbacks
from services.fulfillment.callback_api import callback_routes
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import Frozen, Subject
from tests.contracts.adapters.test_opendsr import CUT_OFF, EMAIL
from tests.support.told import DOMAIN, Processor

URL = "https://privacy.shop.example/callbacks/told"
ORDER = "6f1c2a44-0d0e-4c53-9d3a-2f7a1c1b9e10"


@pytest.fixture
async def processor(tmp_path: Path) -> AsyncIterator[Processor]:
    opened = await Processor().open(tmp_path)
    yield opened
    await opened.close()


class Desk:
    """Our side, on its real routes."""

    def __init__(self, processor: Processor) -> None:
        self.processor, self.looked = processor, list[str]()
        receiver = open_callbacks(described(processor), processor.clock)
        assert receiver is not None
        application = FastAPI()
        application.include_router(callback_routes({"told": receiver}, self._look))
        self._http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=application), base_url="http://us")

    async def _look(self, system: str) -> None:
        self.looked.append(system)

    async def hears(self, raw: bytes, *, system: str = "told", **changed: str) -> int:
        """The status of our answer to these bytes, which are signed unless a test says otherwise."""
        headers = {
            "X-OpenDSR-Processor-Domain": DOMAIN,
            "X-OpenDSR-Signature": self.processor.signature(raw),
            **{name.replace("_", "-"): text for name, text in changed.items()},
        }
        answer = await self._http.post(f"/callbacks/{system}", content=raw, headers=headers)
        return answer.status_code


def described(processor: Processor, url: str = URL) -> System:
    return processor.system(settings={"callback": url})


def a_callback(**changed: Any) -> bytes:
    said = {
        "controller_id": "us", "status_callback_url": URL, "subject_request_id": ORDER,
        "request_status": "completed", "expected_completion_time": "2026-03-05T00:00:00Z", **changed,
    }  # fmt: skip
    return json.dumps(said).encode()


async def test_an_order_names_the_url_for_callbacks(processor: Processor) -> None:
    adapter = processor.adapter(described(processor))
    frozen = await adapter.find(Subject({"email": EMAIL}), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)

    await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key="key")

    (order,) = processor.orders()
    assert order["status_callback_urls"] == [URL]


@pytest.mark.parametrize("state", ["completed", "in_progress", "in-progress", "cancelled", "canceled"])
async def test_a_callback_that_the_processor_signed_has_its_orders_looked_at(
    processor: Processor, state: str
) -> None:
    desk = Desk(processor)

    assert await desk.hears(a_callback(request_status=state)) == 202
    assert desk.looked == ["told"]


async def test_the_bytes_are_verified_as_they_came_whatever_json_thinks_of_them(processor: Processor) -> None:
    desk, raw = Desk(processor), a_callback()
    spaced = raw.replace(b": ", b":  ")

    assert json.loads(raw) == json.loads(spaced)
    assert await desk.hears(spaced) == 202
    assert await desk.hears(spaced, X_OpenDSR_Signature=processor.signature(raw)) == 403
    assert desk.looked == ["told"]


async def test_what_the_processor_did_not_sign_is_not_even_read(processor: Processor) -> None:
    desk = Desk(processor)

    assert await desk.hears(a_callback(), X_OpenDSR_Signature="") == 403
    assert await desk.hears(a_callback(), X_OpenDSR_Processor_Domain="another.example") == 403
    assert await desk.hears(b"\xff no JSON", X_OpenDSR_Signature="bm9uZQ==") == 403
    assert desk.looked == []


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b"no JSON",
        b'"text"',
        a_callback(status_callback_url="https://another.example/callbacks/told"),
        a_callback(subject_request_id="7"),
        a_callback(subject_request_id=None),
        a_callback(subject_request_id=ORDER.upper()),
    ],
)
async def test_what_is_signed_and_no_callback_of_ours_is_refused(processor: Processor, raw: bytes) -> None:
    desk = Desk(processor)

    assert await desk.hears(raw) == 400
    assert desk.looked == []


async def test_a_system_without_a_url_takes_none_and_too_much_is_not_read(processor: Processor) -> None:
    desk = Desk(processor)

    assert await desk.hears(a_callback(), system="another") == 404
    assert await desk.hears(b" " * 70_000) == 413
    assert open_callbacks(processor.system(), processor.clock) is None


@pytest.mark.parametrize(
    "url", ["http://shop.example/callbacks/told", "https://shop.example/callbacks/other"]
)
def test_a_url_that_cannot_be_ours_is_refused_by_its_place(processor: Processor, url: str) -> None:
    with pytest.raises(MapError, match=r"settings\.callback"):
        processor.adapter(described(processor, url))
