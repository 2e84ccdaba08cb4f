"""Whoever places a hold over HTTP is told that it stands only where it does."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI

from services.fulfillment.domain import FulfillmentCase
from services.fulfillment.holding import HoldRegister
from services.fulfillment.holds_api import hold_routes
from shared.events.envelope import Unreadable
from shared.machine.batcher import Batcher
from shared.machine.decision import Message
from shared.machine.parts import Result, Status
from tests.support.hostile_records import Sample, samples

NOBODYS = FulfillmentCase()
HOLD = UUID("0199c0de-7000-7000-8000-000000000002")
HELD = FulfillmentCase(placed_holds=(HOLD,))
OVER = FulfillmentCase(placed_holds=(HOLD,), released_holds=(HOLD,))


class Becomes:
    """A shell in which every message comes to the same."""

    def __init__(self, status: Status, case: FulfillmentCase) -> None:
        self._status = status
        self._case = case

    async def handle(self, incoming: Sequence[Message | Unreadable]) -> list[Result]:
        return [Result(one, self._status, case=self._case) for one in incoming]


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [("applied", 200, None), ("parked", 202, "kept"), ("dead", 409, "set_aside")],
)
async def test_a_hold_that_is_not_in_force_is_not_said_to_be(
    status: Status, answer: int, code: str | None
) -> None:
    found = await placed(status)

    assert found.status_code == answer
    assert ("hold_id" in found.json()) == (code is None)
    assert code is None or found.json()["type"] == f"urn:habeas:problem:{code}"


@pytest.mark.parametrize(
    ("kind", "case", "answer", "code"),
    [
        ("place-hold", HELD, 200, None),
        ("place-hold", OVER, 409, "released"),
        ("place-hold", NOBODYS, 409, "refused_before"),
        ("release-hold", OVER, 200, None),
        ("release-hold", HELD, 409, "refused_before"),
        ("place-standing-hold", FulfillmentCase(standing="placed"), 200, None),
        ("place-standing-hold", NOBODYS, 409, "refused_before"),
        ("release-standing-hold", FulfillmentCase(standing="released"), 200, None),
        ("release-standing-hold", FulfillmentCase(standing="placed"), 409, "refused_before"),
    ],
)
async def test_a_command_that_comes_again_is_answered_by_what_its_request_shows(
    kind: str, case: FulfillmentCase, answer: int, code: str | None
) -> None:
    found = await placed("duplicate", case, kind)

    assert found.status_code == answer
    assert code is None or found.json()["type"] == f"urn:habeas:problem:{code}"


async def test_a_standing_hold_that_was_released_is_not_placed_again_under_its_id() -> None:
    found = await placed("applied", FulfillmentCase(standing="released"), "place-standing-hold")

    assert (found.status_code, found.json()["type"]) == (409, "urn:habeas:problem:released")
    again = await placed("applied", FulfillmentCase(standing="placed"), "place-standing-hold")
    assert again.status_code == 200


async def placed(
    status: Status, case: FulfillmentCase = NOBODYS, kind: str = "place-hold"
) -> httpx2.Response:
    application = FastAPI()
    application.include_router(hold_routes(cast("HoldRegister", None), Batcher(Becomes(status, case))))
    transport: Any = httpx2.ASGITransport(application)
    sample = a_hold(kind)
    headers = {name.replace("ce_", "ce-", 1): value for name, value in sample.headers.items()}
    async with httpx2.AsyncClient(transport=transport, base_url="http://fulfillment") as client:
        return await client.post("/holds", headers=headers, content=sample.raw().value)


def a_hold(kind: str) -> Sample:
    return next(one for one in samples("fulfillment") if f".{kind}." in one.headers["ce_type"])
