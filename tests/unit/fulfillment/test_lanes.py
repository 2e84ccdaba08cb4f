"""A system's lane: who hangs keeps a few places and no more, who fails is left alone, who is well is not limited."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.fulfillment.datamap.systems import Limits
from services.fulfillment.lanes import ATTEMPT, LONGEST_WAIT, PACE_SECONDS, SLOW_SECONDS, Lane, Lanes, Watched
from services.fulfillment.ports import (
    Ambiguous,
    Frozen,
    NeedsPerson,
    Outcome,
    Proof,
    Retry,
    Subject,
    Unknown,
)
from tests.support.memory_system import MemorySystem, Row, memory_system

CUT_OFF = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = Limits(connections=2, failures_to_open=3, open_seconds=30)


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def tasks(number: int) -> list[UUID]:
    return [UUID(int=each) for each in range(number)]


def test_a_quick_system_is_not_limited() -> None:
    lane = Lane(LIMITS, Hand())

    assert [lane.enter(task) for task in tasks(50)] == [None] * 50


def test_a_system_that_hangs_keeps_its_few_places_and_its_other_tasks_stay_out() -> None:
    hand = Hand()
    lane = Lane(LIMITS, hand)
    one, two, three = tasks(3)
    lane.enter(one)
    lane.enter(two)

    hand.seconds += SLOW_SECONDS

    assert lane.slow == 2
    assert lane.enter(three)
    lane.leave(one)
    assert lane.enter(three) is None


def test_the_longer_the_queue_the_later_its_end_comes_back_and_never_later_than_a_minute() -> None:
    hand = Hand()
    lane = Lane(LIMITS, hand)
    for task in tasks(2):
        lane.enter(task)
    hand.seconds += SLOW_SECONDS

    waits = [lane.enter(UUID(int=100 + each)) or 0 for each in range(200)]

    assert waits == sorted(waits)
    assert waits[0] == SLOW_SECONDS
    assert waits[-1] == LONGEST_WAIT


def test_a_line_goes_as_fast_as_its_system_is_at_work() -> None:
    hand = Hand()
    lane = Lane(LIMITS, hand)
    for task in tasks(102):
        lane.enter(task)
    hand.seconds += SLOW_SECONDS
    for task in tasks(100):
        lane.leave(task)

    waits = [lane.enter(UUID(int=1000 + each)) or 0 for each in range(101)]

    assert waits[0] == SLOW_SECONDS
    assert waits[100] == SLOW_SECONDS + 100 * PACE_SECONDS / 100


def test_who_has_a_nearer_date_than_somebody_inside_goes_first_while_the_system_is_at_work() -> None:
    hand = Hand()
    lane = Lane(LIMITS, hand)
    one, two, three, four, five = tasks(5)
    for task in (one, two, three):
        lane.enter(task, CUT_OFF)
    hand.seconds += SLOW_SECONDS
    nearer = CUT_OFF - timedelta(days=1)

    assert [lane.enter(four, CUT_OFF) for _ in range(5)][-1] == SLOW_SECONDS + 4
    assert [lane.enter(four, nearer) for _ in range(20)] == [SLOW_SECONDS] * 20
    lane.leave(one)
    assert lane.enter(four, CUT_OFF) is not None
    assert lane.enter(four) is not None
    assert lane.enter(four, nearer) is None
    assert lane.enter(five, nearer) is None
    hand.seconds += SLOW_SECONDS + 1
    assert lane.enter(one, nearer) is not None


def test_a_system_that_fails_again_and_again_is_left_alone_and_then_tried_by_one() -> None:
    hand = Hand()
    lane = Lane(LIMITS, hand)
    one, two, three = tasks(3)

    for _ in range(LIMITS.failures_to_open):
        assert lane.enter(one) is None
        lane.heard(well=False)
        lane.leave(one)
    assert lane.enter(one) == LIMITS.open_seconds
    hand.seconds += LIMITS.open_seconds

    assert lane.enter(two) is None
    assert lane.enter(three) is not None
    lane.heard(well=True)
    assert lane.enter(three) is None


def test_one_success_forgives_what_failed_before() -> None:
    lane = Lane(LIMITS, Hand())

    for well in (False, False, True, False, False):
        lane.heard(well=well)

    assert lane.enter(UUID(int=1)) is None


def test_lanes_do_not_touch_each_other_nor_what_concerns_no_system() -> None:
    hand = Hand()
    hanging, quick = Lane(LIMITS, hand), Lane(LIMITS, hand)
    lanes = Lanes({"hanging": hanging, "quick": quick})
    for task in tasks(2):
        lanes.enter(task, {"system": "hanging"})
    hand.seconds += SLOW_SECONDS

    assert lanes.enter(UUID(int=10), {"system": "hanging"}) == timedelta(seconds=SLOW_SECONDS)
    assert lanes.enter(UUID(int=11), {"system": "quick"}) is None
    assert lanes.enter(UUID(int=12), {"package": True}) is None
    assert lanes.slow() == 2
    lanes.leave(UUID(int=0))
    assert lanes.slow() == 1


SOON = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("answer", "well"),
    [
        (Retry(SOON, "away"), False),
        (Ambiguous("no answer"), False),
        (Ambiguous("at work", look_again=SOON), True),
        (NeedsPerson("credentials", "no"), True),
    ],
)
async def test_the_lane_hears_what_the_adapter_says(answer: Outcome, *, well: bool) -> None:
    system = memory_system("shop")
    system.before["act"] = [lambda: answer] * LIMITS.failures_to_open
    hand = Hand()
    lane = Lane(LIMITS, hand)
    watched = Watched(system, lane)

    for _ in range(LIMITS.failures_to_open):
        told = await watched.act("delete", Frozen({}), cut_off=CUT_OFF, idempotency_key="k")
        assert told == answer

    assert (lane.enter(UUID(int=1)) is None) == well


@pytest.mark.parametrize(("proof", "well"), [(Unknown("away"), False), (Unknown("at work", SOON), True)])
async def test_a_proof_that_waits_for_the_systems_own_work_is_no_failure(proof: Proof, *, well: bool) -> None:
    system = memory_system("shop")
    system.before["prove"] = [lambda: proof] * LIMITS.failures_to_open
    lane = Lane(LIMITS, Hand())

    for _ in range(LIMITS.failures_to_open):
        assert await Watched(system, lane).prove("delete", Frozen({}), cut_off=CUT_OFF) == proof

    assert (lane.enter(UUID(int=1)) is None) == well


async def test_a_call_that_was_given_up_counts_as_a_failure_and_ends_as_it_did() -> None:
    class Hanging(MemorySystem):
        async def find(self, subject: Subject, *, cut_off: datetime) -> Frozen | Retry | NeedsPerson:
            await asyncio.Event().wait()
            raise AssertionError("nothing ever sets that event")

    lane = Lane(Limits(failures_to_open=1), Hand())
    watched = Watched(Hanging("shop", memory_system("shop").datamap, ()), lane)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await watched.find(Subject({"email": "a@example.com"}), cut_off=CUT_OFF)

    assert lane.enter(UUID(int=1)) is not None


async def test_a_watched_adapter_says_what_the_adapter_says() -> None:
    system = memory_system("shop", Row("people", 1, {"email": "a@example.com"}))
    watched = Watched(system, Lane(LIMITS, Hand()))

    found = await watched.find(Subject({"email": "a@example.com"}), cut_off=CUT_OFF)

    assert isinstance(found, Frozen)
    assert found.rows == {"people": ((1,),)}
    assert watched.capabilities == system.capabilities
    assert (await watched.check()).ok
    assert await watched.export(found, cut_off=CUT_OFF) == await system.export(found, cut_off=CUT_OFF)


async def test_an_attempt_is_slow_by_how_long_its_system_has_not_answered_and_not_by_our_own_work() -> None:
    hand = Hand()
    lane = Lane(LIMITS, hand)
    watched = Watched(memory_system("shop"), lane)
    answered, waiting = tasks(2)
    lane.enter(answered)
    lane.enter(waiting)
    ATTEMPT.set(answered)
    hand.seconds += SLOW_SECONDS

    await watched.find(Subject({}), cut_off=CUT_OFF)

    assert lane.slow == 1
    hand.seconds += SLOW_SECONDS
    assert lane.slow == 2
