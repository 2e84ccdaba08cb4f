"""A browser's opt-out preference signal: whoever makes a request with it has opted out as well (11 CCR 7025(c))."""

from typing import Any

import pytest

from shared.events.intake import RequestReceived
from tests.support.domain_driver import PretendedSealer
from tests.support.front_desk import PERSON, FrontDesk


async def asked(
    desk: FrontDesk, signal: str | None = "1", key: str | None = None, **more: Any
) -> dict[str, Any]:
    headers = {"Sec-GPC": signal} if signal is not None else {}
    headers |= {"Idempotency-Key": key} if key else {}
    answer = await desk.ask("POST", "/requests", extra=headers, json={**PERSON, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_who_asks_with_the_signal_has_opted_out_too_and_can_see_that() -> None:
    desk = FrontDesk()

    receipt = await asked(desk)

    out = receipt["by_signal"]
    status = await desk.ask("GET", f"/requests/{out['request_id']}", out["secret"])
    assert (receipt["right"], out["right"], status.json()["state"]) == ("delete", "opt_out", "received")
    assert out["request_id"] != receipt["request_id"]


async def test_it_is_about_the_same_person_and_asks_nothing_but_the_opt_out() -> None:
    desk = FrontDesk()
    wrong = [{"what": "street", "should_be": "12 Analytical Way"}]

    out = (await asked(desk, right="correct", corrections=wrong))["by_signal"]

    [fact] = desk.cases.of(out["request_id"]).bodies(RequestReceived)
    assert b"ada.lovelace@example.com" in PretendedSealer.open(fact.claims)
    assert b"Analytical" not in PretendedSealer.open(fact.claims)
    assert fact.clocks.effective_by is not None


async def test_the_same_request_sent_again_opts_out_once() -> None:
    desk = FrontDesk()

    first, again = [await asked(desk, key="0123456789abcdef") for _ in range(2)]

    assert first == again


@pytest.mark.parametrize("signal", [None, "0", "", "true"])
async def test_no_other_value_is_a_signal_and_its_absence_is_no_consent(signal: str | None) -> None:
    assert "by_signal" not in await asked(FrontDesk(), signal)


@pytest.mark.parametrize(
    "said",
    [{"right": "opt_out"}, {"right": "opt_in", "confirmed": True}, {"requester": "agent"}],
    ids=lambda said: next(iter(said.values())),
)
async def test_who_chooses_here_has_chosen_and_an_agents_browser_is_not_the_persons(
    said: dict[str, Any],
) -> None:
    assert "by_signal" not in await asked(FrontDesk(), **said)
