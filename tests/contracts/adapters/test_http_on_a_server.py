"""What only a system over HTTP can do to us, tried on a real server that fails as real ones do."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from services.fulfillment.datamap.systems import Limits
from services.fulfillment.ports import (
    Ambiguous,
    Done,
    Frozen,
    Gone,
    NeedsPerson,
    Retry,
    StillPresent,
    Unknown,
)
from tests.support.shop import CANARIES, CUT_OFF, subject
from tests.support.shop_over_http import HttpShop, Trouble

KEY = "0123456789abcdef"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[HttpShop]:
    """A filled shop behind its interface."""
    opened = await HttpShop(tmp_path).open()
    yield opened
    await opened.close()


async def found(shop: HttpShop) -> Frozen:
    frozen = await shop.adapter().find(subject(), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    return frozen


def answering(status: int, *, method: str = "", **headers: str) -> Trouble:
    """Answer so, once, or to every request of a method."""

    def trouble(request: Request) -> Response | None:
        if method and request.method != method:
            return None
        body = {"error": f"no, {CANARIES[0]}"}
        return JSONResponse(body, status, {name.replace("_", "-"): value for name, value in headers.items()})

    return trouble


def always(shop: HttpShop, trouble: Trouble) -> None:
    shop.server.trouble = [trouble] * 1000


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "credentials"), (403, "credentials"), (400, "refused"), (404, "schema")]
)
async def test_a_search_that_is_refused_is_for_a_person(shop: HttpShop, status: int, kind: str) -> None:
    always(shop, answering(status))

    answer = await shop.adapter().find(subject(), cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == kind
    assert str(status) in answer.reason
    assert not [canary for canary in CANARIES if canary.lower() in repr(answer).lower()]


async def test_retry_after_is_heard_in_seconds_and_as_a_date(shop: HttpShop) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)  # noqa: TID251 - the server's own clock
    adapter = shop.adapter()

    always(shop, answering(429, Retry_After="77"))
    seconds = await adapter.find(subject(), cut_off=CUT_OFF)
    always(shop, answering(429, Retry_After=later))
    date = await adapter.find(subject(), cut_off=CUT_OFF)
    always(shop, answering(429, Retry_After="soon"))
    nonsense = await adapter.find(subject(), cut_off=CUT_OFF)

    assert isinstance(seconds, Retry)
    assert seconds.after == timedelta(seconds=77)
    assert isinstance(date, Retry)
    assert timedelta(minutes=9) < date.after <= timedelta(minutes=10)
    assert isinstance(nonsense, Retry)
    assert nonsense.after == timedelta(seconds=Limits().retry_seconds)


async def test_a_fault_of_the_server_is_tried_again_while_nothing_was_changed(shop: HttpShop) -> None:
    always(shop, answering(503))

    assert isinstance(await shop.adapter().find(subject(), cut_off=CUT_OFF), Retry)
    assert isinstance(
        await shop.adapter().prove("delete", Frozen({"orders": (("x",),)}), cut_off=CUT_OFF), Unknown
    )


async def test_a_fault_of_the_server_while_deleting_is_settled_by_reading_back(shop: HttpShop) -> None:
    frozen, adapter = await found(shop), shop.adapter()
    always(shop, answering(500, method="DELETE"))

    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, Ambiguous)
    assert len(shop.server.asked("DELETE")) == 1
    shop.server.trouble.clear()
    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), StillPresent)


async def test_what_a_first_attempt_began_a_second_one_finishes_and_no_row_is_told_twice(
    shop: HttpShop,
) -> None:
    frozen, adapter = await found(shop), shop.adapter()
    told: list[str] = []

    def third_fails(request: Request) -> Response | None:
        told.extend([request.url.path] if request.method == "DELETE" else [])
        return JSONResponse({}, 429) if request.method == "DELETE" and len(told) == 3 else None

    always(shop, third_fails)
    first = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)
    shop.server.trouble.clear()
    between = len(shop.server.asked("DELETE"))
    second = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(first, Ambiguous)
    assert isinstance(second, Done)
    done = [each.path for each in shop.server.asked("DELETE")]
    assert done[between - 1] == done[between]
    assert len(set(done)) == len(done) - 1
    keys = [each.headers["idempotency-key"] for each in shop.server.asked("DELETE")]
    assert keys[between - 1] == keys[between]
    assert len(set(keys)) == len(keys) - 1
    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Gone)


async def test_a_row_that_somebody_else_deleted_meanwhile_is_gone_and_no_fault(shop: HttpShop) -> None:
    frozen, adapter = await found(shop), shop.adapter()
    always(shop, answering(404, method="DELETE"))

    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, Done)
    assert not any(count.erased for count in outcome.receipt.datasets)


async def test_an_interface_that_says_not_found_to_everything_proves_nothing(shop: HttpShop) -> None:
    frozen, adapter = await found(shop), shop.adapter()
    always(shop, answering(404))

    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Unknown)
    assert isinstance(await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY), NeedsPerson)


async def test_a_page_for_people_in_the_place_of_json_is_a_changed_interface(shop: HttpShop) -> None:
    frozen, adapter = await found(shop), shop.adapter()
    always(shop, lambda _: HTMLResponse("<h1>Please sign in</h1>"))

    answer = await adapter.find(subject(), cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == "schema"
    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Unknown)
    assert not (await adapter.check()).ok


async def test_a_redirect_is_not_followed(shop: HttpShop) -> None:
    always(shop, lambda _: RedirectResponse("http://127.0.0.1:9/elsewhere"))

    answer = await shop.adapter().find(subject(), cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == "schema"
    assert len(shop.server.told) == 1


async def test_an_answer_without_end_is_cut_off(shop: HttpShop) -> None:
    always(shop, lambda _: Response(b"[" + b"1," * (6 << 20) + b"1]", media_type="application/json"))

    answer = await shop.adapter().find(subject(), cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson)
    assert "larger than" in answer.reason


async def test_pages_that_never_end_are_given_up(shop: HttpShop) -> None:
    always(
        shop,
        lambda request: None if "by=" not in str(request.url) else JSONResponse({"items": [], "next": 7}),
    )

    answer = await shop.adapter().find(subject(), cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson)
    assert "same page" in answer.reason


async def test_a_system_that_hangs_is_given_up_in_its_time_and_holds_nobody_else_up(shop: HttpShop) -> None:
    released = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()
        await writer.wait_closed()

    hanging = await asyncio.start_server(hang, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{hanging.sockets[0].getsockname()[1]}"
    limits = Limits(connect_seconds=1, statement_seconds=0.3)
    adapter = shop.adapter(shop.system(address, limits))

    answer, quick = await asyncio.gather(adapter.find(subject(), cut_off=CUT_OFF), found(shop))
    deletion = await adapter.prove("delete", quick, cut_off=CUT_OFF)
    released.set()
    hanging.close()
    await hanging.wait_closed()

    assert isinstance(answer, Retry)
    assert isinstance(deletion, Unknown)
    assert not quick.is_empty


@pytest.mark.parametrize(
    "address", ["http://shop.example", "ftp://127.0.0.1/x", "https://me:pw@shop.example", "nonsense"]
)
async def test_an_address_that_is_not_safe_is_refused_before_anything_is_sent(
    shop: HttpShop, address: str
) -> None:
    adapter = shop.adapter(shop.system(address))

    answer = await adapter.find(subject(), cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == "credentials"
    assert "pw" not in answer.reason


async def test_a_rotated_token_is_taken_up_at_the_next_request(shop: HttpShop) -> None:
    system = shop.system()
    adapter = shop.adapter(system)
    token = system.secrets["token"].file
    assert token is not None
    right = token.read_text()

    token.write_text("expired")
    refused = await adapter.find(subject(), cut_off=CUT_OFF)
    token.write_text(right)

    assert isinstance(refused, NeedsPerson)
    assert isinstance(await adapter.find(subject(), cut_off=CUT_OFF), Frozen)
