"""One address may submit as fast as people do, and nobody else waits for it."""

import pytest

from services.intake.pace import Pace, network_of
from tests.support.front_desk import PERSON, FrontDesk

HERE, THERE = "203.0.113.7", "203.0.113.8"


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def pace(seconds: Seconds) -> Pace:
    return Pace(6, monotonic=seconds)


def test_as_many_as_a_minute_has_may_come_at_once_and_no_more(pace: Pace) -> None:
    assert [pace.take(HERE) for _ in range(7)] == [0, 0, 0, 0, 0, 0, 10]


def test_another_address_is_not_slowed_down(pace: Pace) -> None:
    for _ in range(7):
        pace.take(HERE)

    assert pace.take(THERE) == 0


def test_whoever_waits_as_long_as_was_said_may_submit_again(pace: Pace, seconds: Seconds) -> None:
    for _ in range(6):
        pace.take(HERE)
    waits = pace.take(HERE)

    seconds.now += waits - 1
    assert pace.take(HERE) == 1
    seconds.now += 1
    assert [pace.take(HERE), pace.take(HERE)] == [0, 10]


def test_waiting_for_longer_than_a_minute_saves_nothing_up(pace: Pace, seconds: Seconds) -> None:
    pace.take(HERE)
    seconds.now += 3600

    assert [pace.take(HERE) for _ in range(7)].count(0) == 6


def test_zero_is_no_limit(seconds: Seconds) -> None:
    pace = Pace(0, monotonic=seconds)

    assert {pace.take(HERE) for _ in range(1000)} == {0}


def test_no_more_addresses_are_remembered_than_there_is_room_for(seconds: Seconds) -> None:
    pace = Pace(1, monotonic=seconds, most=3)
    for number in range(4):
        pace.take(f"203.0.113.{number}")

    assert [pace.take(f"203.0.113.{number}") > 0 for number in (1, 2, 3)] == [True, True, True]
    assert pace.take("203.0.113.0") == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("a proxy", "a proxy", True),
    ],
)
def test_an_address_is_its_owner_s_network(one: str, other: str, *, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same


async def test_who_submits_too_fast_is_told_how_long_to_wait() -> None:
    desk = FrontDesk(per_minute=2)
    async with desk.calling(HERE) as client:
        answers = [await client.post("/requests", json=PERSON) for _ in range(3)]
    async with desk.calling(THERE) as client:
        other = await client.post("/requests", json=PERSON)

    assert [answer.status_code for answer in (*answers, other)] == [201, 201, 429, 201]
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["retry-after"] == "30"
    assert refused.json()["type"] == "urn:habeas:problem:too_many_requests"
    assert "30 seconds" in refused.json()["detail"]


async def test_looking_at_a_request_is_never_too_fast() -> None:
    desk = FrontDesk(per_minute=1)
    receipt = await desk.receipt()
    shown = {"Authorization": f"Bearer {receipt['secret']}"}

    async with desk.client as client:
        answers = [await client.get(f"/requests/{receipt['request_id']}", headers=shown) for _ in range(5)]

    assert {answer.status_code for answer in answers} == {200}
