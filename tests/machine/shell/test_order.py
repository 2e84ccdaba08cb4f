"""Duplicates, gaps and any order: the case at rest is the same."""

import random
from collections.abc import Sequence

import pytest

from shared.events.deadline import RequestClosed
from shared.events.envelope import Raw
from shared.ids import new_id
from tests.support.machine import NOON, Machine, Upstream, request

ONE, TWO = request(1), request(2)
CLOSED = RequestClosed(
    right="delete",
    resolution="complete",
    closed_at=NOON,
    answered_at=NOON,
    in_time=True,
    evidence_digest="",
    audit_head="",
)


def a_life(upstream: Upstream) -> list[Raw]:
    """What is heard about two requests on three topics, in the order in which it was said."""
    return [
        upstream.event(ONE, "a_task-x"),
        upstream.event(TWO, "b"),
        upstream.command(ONE, "asked"),
        upstream.event(ONE, "c_wake-30"),
        upstream.record(ONE, CLOSED),
        upstream.command(ONE, "again"),
        upstream.event(TWO, "d_keep"),
        upstream.event(ONE, "e"),
        upstream.record(TWO, CLOSED),
    ]


def cut(raws: Sequence[Raw], dice: random.Random) -> list[list[Raw]]:
    """The records in batches of any size."""
    batches, rest = [], list(raws)
    while rest:
        size = dice.randint(1, len(rest))
        batches.append(rest[:size])
        rest = rest[size:]
    return batches


@pytest.mark.parametrize("seed", range(8))
async def test_records_twice_and_in_any_order_give_the_same_case(
    machine: Machine, upstream: Upstream, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311 - the same dice each time
    life = a_life(upstream)
    shuffled = [*life, *life]
    dice.shuffle(shuffled)

    for batch in cut(shuffled, dice):
        await machine.hear(*batch)

    one, two = await machine.case(ONE), await machine.case(TWO)
    assert one.heard == (
        "a", "again", "asked", "c", "dsar.request.closed.v1", "e", "task-x", "wake-30",
    )  # fmt: skip
    assert two.heard == ("b", "d", "dsar.request.closed.v1", "keep")
    assert await machine.world.parked() == []
    assert await machine.answers(ONE) == ["accepted", "accepted"]
    await machine.is_sound(ONE, TWO)


async def test_a_repeat_is_a_duplicate_and_changes_nothing(machine: Machine, upstream: Upstream) -> None:
    life = a_life(upstream)
    await machine.hear(*life)
    row, sent, chain = await machine.world.case(ONE), await machine.world.outbox(), await machine.chain(ONE)

    assert await machine.hear(*life) == ["duplicate"] * len(life)

    assert await machine.world.case(ONE) == row
    assert await machine.world.outbox() == sent
    assert await machine.chain(ONE) == chain


async def test_the_wake_up_time_survives_duplicates_parked_records_and_refusals(
    machine: Machine, upstream: Upstream
) -> None:
    first = upstream.event(ONE, "wake-30")
    await machine.hear(first)
    row = await machine.world.case(ONE)
    assert row is not None
    upstream.event(ONE, "missing")

    told = await machine.hear(first, upstream.event(ONE, "early"), upstream.command(ONE, "refuse"))

    after = await machine.world.case(ONE)
    assert told == ["duplicate", "parked", "refused"]
    assert after is not None
    assert after.wake_at == row.wake_at is not None


async def test_a_gap_parks_what_follows_and_drains_when_it_is_filled(
    machine: Machine, upstream: Upstream
) -> None:
    first, second, third, fourth = (upstream.event(ONE, word) for word in ("a", "b", "c", "d"))

    assert await machine.hear(fourth, second, third) == ["parked"] * 3
    assert (await machine.case(ONE)).heard == ()
    assert len(await machine.world.parked()) == 3
    assert await machine.hear(first) == ["applied"]

    assert (await machine.case(ONE)).heard == ("a", "b", "c", "d")
    assert await machine.world.parked() == []
    row = await machine.world.case(ONE)
    assert row is not None
    assert row.applied == {"dsar.received": 4}
    await machine.is_sound(ONE)


async def test_a_long_run_of_parked_records_drains_at_once(machine: Machine, upstream: Upstream) -> None:
    first, *rest = [upstream.event(ONE, f"w{number}") for number in range(450)]
    await machine.hear(*rest)

    await machine.hear(first)

    assert len((await machine.case(ONE)).heard) == 450
    assert await machine.world.parked() == []


async def test_what_another_process_parked_is_drained_by_this_one(
    machine: Machine, upstream: Upstream
) -> None:
    first, second = upstream.event(ONE, "a"), upstream.event(ONE, "b")
    other = machine.another()
    await machine.hear(upstream.event(TWO))
    assert await other.hear(second) == ["parked"]

    await machine.hear(first)

    assert (await machine.case(ONE)).heard == ("a", "b")


async def test_what_was_parked_and_then_came_by_its_topic_leaves_the_table(
    machine: Machine, upstream: Upstream
) -> None:
    first, second = upstream.event(ONE, "a"), upstream.event(ONE, "b")
    await machine.hear(second)

    assert await machine.hear(first, second) == ["applied", "applied"]

    assert (await machine.case(ONE)).heard == ("a", "b")
    assert await machine.world.parked() == []


async def test_commands_have_no_order_and_one_number_of_two_sources_is_two_commands(
    machine: Machine, upstream: Upstream
) -> None:
    number = new_id()
    mine = upstream.command(ONE, "mine", number=number)
    theirs = upstream.command(ONE, "theirs", number=number, source="habeas/cli")

    assert await machine.hear(mine, theirs, mine) == ["applied", "applied", "duplicate"]
    assert await machine.hear(theirs) == ["duplicate"]

    assert (await machine.case(ONE)).heard == ("mine", "theirs")
    assert await machine.answers(ONE) == ["accepted", "accepted"]


@pytest.mark.parametrize("batches", [1, 2])
async def test_one_number_for_two_requests_is_two_commands(
    machine: Machine, upstream: Upstream, batches: int
) -> None:
    number = new_id()
    both = [upstream.command(ONE, number=number), upstream.command(TWO, number=number)]

    told = [status for part in range(batches) for status in await machine.hear(*both[part::batches])]

    assert told == ["applied", "applied"]


async def test_a_refused_command_changes_nothing_and_is_answered_once(
    machine: Machine, upstream: Upstream
) -> None:
    await machine.hear(upstream.event(ONE, "a_wake-30"))
    before = await machine.case(ONE)
    told, stranger = (
        upstream.command(ONE, "refuse_task-a"),
        upstream.command(ONE, "task-b", source="habeas/cli"),
    )
    machine.refused_sources.add("habeas/cli")

    assert await machine.hear(told, stranger, told) == ["refused", "refused", "duplicate"]

    assert await machine.case(ONE) == before
    assert await machine.answers(ONE) == ["told_to", "source_not_allowed"]
    assert await machine.world.task(ONE, "a") is None
    assert await machine.world.task(ONE, "b") is None
    assert await machine.chain(ONE) == [
        "dsar.request.withdrawn.v1",
        "dsar.verification.answer-challenge.v1",
        "dsar.verification.answer-challenge.v1",
    ]
    await machine.is_sound(ONE)


async def test_one_batch_over_many_requests_keeps_each_in_order(machine: Machine, upstream: Upstream) -> None:
    requests = [request(number) for number in range(50)]
    batch = [upstream.event(one, f"w{turn}") for turn in range(4) for one in requests]

    assert await machine.hear(*batch) == ["applied"] * 200

    await machine.is_sound(*requests)
    assert machine.watcher.wrote[0].records == 200


async def test_what_is_heard_of_an_unknown_request_is_remembered(
    machine: Machine, upstream: Upstream
) -> None:
    upstream.event(ONE, "missing")

    told = await machine.hear(upstream.event(ONE, "second"), upstream.command(TWO, "early"))

    assert told == ["parked", "applied"]
    assert (await machine.case(TWO)).heard == ("early",)
    await machine.is_sound(TWO)
