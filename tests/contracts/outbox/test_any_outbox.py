"""What a relay may rely on, of whatever outbox it reads."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from shared.machine.ports import OutboxRow
from shared.outbox.ports import Head
from shared.outbox.shards import SHARDS, shard_of
from tests.support.machine import request
from tests.support.outbox import a_row
from tests.support.outbox_worlds import OutboxWorld, put, writing

ALL = list(range(SHARDS))
LEASE = 30
LIMIT = 100
ONE = request(1)
TWO = next(request(number) for number in range(2, 99) if shard_of(str(request(number))) != shard_of(str(ONE)))


def event(request_id: object = ONE, sequence: int = 1, **more: object) -> OutboxRow:
    value = f"{request_id} {more.get('topic', '')} {sequence}".encode()
    return a_row(request_id, sequence, value=value, **more)  # type: ignore[arg-type]


async def leased(world: OutboxWorld, owner: str) -> dict[int, int]:
    return await world.outbox.lease(owner, seconds=LEASE)


async def heads(world: OutboxWorld, after: int = 0, shards: Sequence[int] = ALL) -> list[Head]:
    return list((await world.outbox.heads(after, shards, LIMIT)).heads)


async def values(world: OutboxWorld) -> list[bytes]:
    return [head.value for head in await heads(world)]


async def published(world: OutboxWorld, owner: str = "one") -> None:
    """Mark what stands at the heads of all lines."""
    epochs = await leased(world, owner)
    await world.outbox.mark(await heads(world), owner, epochs)


async def test_a_relay_that_is_alone_gets_every_shard_under_an_epoch(world: OutboxWorld) -> None:
    epochs = await leased(world, "one")

    assert sorted(epochs) == ALL
    assert min(epochs.values()) > 0


async def test_a_lease_that_is_renewed_in_time_keeps_its_epoch(world: OutboxWorld) -> None:
    first = await leased(world, "one")

    assert await leased(world, "one") == first


async def test_what_one_relay_holds_no_other_gets(world: OutboxWorld) -> None:
    await leased(world, "one")

    assert await leased(world, "two") == {}


async def test_two_relays_that_ask_at_once_never_get_the_same_shard(world: OutboxWorld) -> None:
    names = [f"relay {number}" for number in range(4)]

    found = await asyncio.gather(*(leased(world, name) for name in names))

    held = [shard for epochs in found for shard in epochs]
    assert len(held) == len(set(held))
    assert held


async def test_the_fair_share_counts_a_relay_that_waits_and_has_none_yet(world: OutboxWorld) -> None:
    await leased(world, "one")
    await leased(world, "two")

    mine = await leased(world, "one")
    await world.outbox.give_back("one", [shard for shard in ALL if shard not in mine])
    theirs = await leased(world, "two")

    assert len(mine) == len(theirs) == SHARDS // 2
    assert sorted([*mine, *theirs]) == ALL


async def test_a_shard_that_comes_to_another_relay_has_a_later_epoch(world: OutboxWorld) -> None:
    before = await leased(world, "one")
    await world.frozen("one")

    after = await leased(world, "two")

    assert sorted(after) == ALL
    assert all(after[shard] > before[shard] for shard in ALL)


async def test_a_lease_that_ran_out_comes_back_to_its_owner_under_a_later_epoch(world: OutboxWorld) -> None:
    before = await leased(world, "one")
    await world.frozen("one")

    after = await leased(world, "one")

    assert all(after[shard] > before[shard] for shard in ALL)


async def test_nobody_gives_back_what_is_another_s(world: OutboxWorld) -> None:
    await leased(world, "one")

    await world.outbox.give_back("two", ALL)

    assert await leased(world, "two") == {}


async def test_what_a_relay_leaves_is_another_s_at_once_and_wholly(world: OutboxWorld) -> None:
    before = await leased(world, "one")
    await world.outbox.leave("one")

    after = await leased(world, "two")

    assert sorted(after) == ALL
    assert all(after[shard] > before[shard] for shard in ALL)


async def test_only_the_first_record_of_each_topic_and_request_stands_at_the_head(world: OutboxWorld) -> None:
    await put(world, event(), event(sequence=2), event(topic="dsar.closed"), event(TWO), event(TWO, 2))

    found = await heads(world)

    assert [head.value for head in found] == [
        event().value,
        event(topic="dsar.closed").value,
        event(TWO).value,
    ]
    assert [head.id for head in found] == sorted(head.id for head in found)


async def test_a_head_is_the_record_as_it_was_written(world: OutboxWorld) -> None:
    row = replace(event(), headers={"ce_id": "7", "ce_source": "habeas/intake"})
    await put(world, row)

    (head,) = await heads(world)

    assert (head.topic, head.key, head.value, head.opened_month) == (
        row.topic,
        row.key,
        row.value,
        row.opened_month,
    )
    assert head.shard == shard_of(row.key)
    assert head.headers.replace(" ", "") == '{"ce_id":"7","ce_source":"habeas/intake"}'


async def test_heads_are_those_of_the_shards_asked_for_past_the_position_and_no_more_than_the_limit(
    world: OutboxWorld,
) -> None:
    await put(world, event(), event(TWO))
    first, second = await heads(world)

    assert await heads(world, shards=[first.shard]) == [first]
    assert await heads(world, after=first.id) == [second]
    assert (await world.outbox.heads(0, ALL, 1)).heads == [first]


async def test_a_look_says_whether_others_wait_behind_what_it_found_or_past_its_limit(
    world: OutboxWorld,
) -> None:
    await put(world, event(), event(TWO))
    alone = await world.outbox.heads(0, ALL, LIMIT)
    limited = await world.outbox.heads(0, ALL, 2)

    await put(world, event(sequence=2))
    followed = await world.outbox.heads(0, ALL, LIMIT)

    assert [(look.behind, look.full) for look in (alone, limited, followed)] == [
        (False, False),
        (False, True),
        (True, False),
    ]


async def test_a_look_that_found_nothing_to_send_promises_nothing(world: OutboxWorld) -> None:
    found = await world.outbox.heads(0, ALL, LIMIT)

    assert (list(found.heads), found.behind, found.full) == ([], False, False)


async def test_when_the_first_is_marked_the_next_stands_at_the_head(world: OutboxWorld) -> None:
    await put(world, event(), event(sequence=2))
    epochs = await leased(world, "one")

    marked = await world.outbox.mark(await heads(world), "one", epochs)

    assert marked == 1
    assert await values(world) == [event(sequence=2).value]
    assert await world.published() == [event().value]


async def test_records_of_two_months_are_marked_together(world: OutboxWorld) -> None:
    old = replace(event(TWO), opened_month=date(2025, 12, 1))
    await put(world, event(), old)
    epochs = await leased(world, "one")

    assert await world.outbox.mark(await heads(world), "one", epochs) == len([event(), old])
    assert await heads(world) == []


async def test_a_stale_epoch_marks_nothing(world: OutboxWorld) -> None:
    await put(world, event(), event(TWO))
    stale = await leased(world, "one")
    found = await heads(world)
    await world.frozen("one")
    await leased(world, "two")

    assert await world.outbox.mark(found, "one", stale) == 0
    assert await world.published() == []


async def test_the_epoch_of_another_owner_marks_nothing(world: OutboxWorld) -> None:
    await put(world, event())
    epochs = await leased(world, "one")

    assert await world.outbox.mark(await heads(world), "two", epochs) == 0
    assert await world.published() == []


async def test_only_records_of_shards_that_are_held_are_marked(world: OutboxWorld) -> None:
    await put(world, event(), event(TWO))
    epochs = await leased(world, "one")
    first, second = await heads(world)

    assert await world.outbox.mark([first, second], "one", {first.shard: epochs[first.shard]}) == 1
    assert await heads(world) == [second]


async def test_a_relay_s_own_earlier_epoch_marks_nothing(world: OutboxWorld) -> None:
    await put(world, event())
    earlier = await leased(world, "one")
    await world.frozen("one")
    await leased(world, "one")

    assert await world.outbox.mark(await heads(world), "one", earlier) == 0


async def test_a_blocked_record_holds_up_its_own_line_and_no_other(world: OutboxWorld) -> None:
    await put(world, event(), event(sequence=2), event(topic="dsar.closed"), event(TWO))
    epochs = await leased(world, "one")
    first, *others = await heads(world)

    await world.outbox.block(first, "too_large", "one", epochs[first.shard])

    assert await heads(world) == others
    await published(world)
    assert await heads(world) == []
    assert event(sequence=2).value not in await world.published()


@pytest.mark.parametrize("owner", ["one", "two"])
async def test_a_stale_epoch_and_another_s_block_nothing(world: OutboxWorld, owner: str) -> None:
    await put(world, event())
    stale = await leased(world, "one")
    (head,) = await heads(world)
    await world.frozen("one")
    await leased(world, "three")

    await world.outbox.block(head, "too_large", owner, stale[head.shard])

    assert await heads(world) == [head]


async def test_a_record_appears_when_its_transaction_commits_and_not_before(world: OutboxWorld) -> None:
    async with writing(world, event()):
        assert await heads(world) == []

    assert await values(world) == [event().value]


async def test_a_record_whose_transaction_fails_never_appears(world: OutboxWorld) -> None:
    async def fail() -> None:
        async with writing(world, event()):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert await heads(world) == []


async def test_what_was_written_first_and_committed_last_lies_before_a_position_that_has_passed_it(
    world: OutboxWorld,
) -> None:
    async with writing(world, event()):
        await put(world, event(TWO))
        (later,) = await heads(world)

    assert await heads(world, after=later.id) == []
    assert await values(world) == [event().value, event(TWO).value]
