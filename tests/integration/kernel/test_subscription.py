"""From records on the real broker to cases in the real database: nothing lost, nothing twice, nothing in the way."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiokafka import ConsumerRecord

from shared.database import open_pool
from shared.events.envelope import Raw
from shared.events.topics import COMMANDS_VERIFICATION, RECEIVED
from tests.support.eventually import eventually_async
from tests.support.installation import Installation
from tests.support.kafka_records import committed, publish, rewind
from tests.support.machine import Machine, Upstream, request
from tests.support.reading import reading, subscribed, through
from tests.support.store_worlds import PostgresWorld
from tests.support.switch_proxy import SwitchProxy, switch_proxy

pytestmark = pytest.mark.connected
ONE, TWO = request(1), request(2)


@pytest.fixture
async def machine(kernel: Installation, pool: asyncpg.Pool) -> AsyncIterator[Machine]:
    async with kernel.admin() as admin:
        yield Machine(PostgresWorld(pool, admin, "verification"))


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


async def send(kernel: Installation, *raws: Raw, partition: int | None = None) -> None:
    await publish(kernel.settings.kafka_bootstrap, kernel.settings.namespace, raws, partition=partition)


async def has_heard(machine: Machine, number: int, count: int) -> bool:
    return len((await machine.case(request(number))).heard) == count


def group_of(kernel: Installation) -> str:
    return f"{kernel.settings.namespace}habeas.verification"


async def offsets(kernel: Installation) -> int:
    return sum(
        [
            await committed(kernel.settings.kafka_bootstrap, group_of(kernel), kernel.topic(topic))
            for topic in (RECEIVED, COMMANDS_VERIFICATION)
        ]
    )


async def test_records_become_cases_and_their_offsets_are_committed_afterwards(
    machine: Machine, kernel: Installation, upstream: Upstream
) -> None:
    await send(kernel, upstream.event(ONE, "a"), upstream.command(ONE, "b"), upstream.event(TWO, "c"))

    async with reading(machine, kernel) as reader:
        await eventually_async(lambda: has_heard(machine, 1, 2), within=30)
        await eventually_async(lambda: has_heard(machine, 2, 1))
        assert reader.subscription.assigned
        assert not reader.subscription.ended
    assert await offsets(kernel) == 3

    told = len(machine.watcher.results)
    async with reading(machine, kernel):
        await send(kernel, upstream.event(ONE, "d"))
        await eventually_async(lambda: has_heard(machine, 1, 3), within=30)
    assert [result.status for result in machine.watcher.results[told:]] == ["applied"]
    await machine.is_sound(ONE, TWO)


async def test_of_several_brokers_named_by_comma_any_one_that_answers_is_enough(
    machine: Machine, kernel: Installation, upstream: Upstream
) -> None:
    await send(kernel, upstream.event(ONE))

    async with reading(machine, kernel, bootstrap=f"127.0.0.1:1,{kernel.settings.kafka_bootstrap}"):
        await eventually_async(lambda: has_heard(machine, 1, 1), within=30)


async def test_a_replay_of_everything_changes_no_row(
    machine: Machine, kernel: Installation, upstream: Upstream
) -> None:
    unreadable = replace(upstream.event(TWO), value=b"{")
    await send(kernel, upstream.event(ONE, "a_task-x"), upstream.command(ONE, "b"), unreadable)
    async with reading(machine, kernel):
        await eventually_async(lambda: has_heard(machine, 1, 3), within=30)
        await eventually_async(machine.world.letters)
    sent, row, chain = await machine.world.outbox(), await machine.world.case(ONE), await machine.chain(ONE)
    machine.watcher.results.clear()
    for topic in (RECEIVED, COMMANDS_VERIFICATION):
        await rewind(kernel.settings.kafka_bootstrap, group_of(kernel), kernel.topic(topic))

    async with reading(machine, kernel):
        await eventually_async(lambda: _count(machine, 3), within=30)

    assert Counter(result.status for result in machine.watcher.results) == {"duplicate": 2, "dead": 1}
    assert await machine.world.outbox() == sent
    assert await machine.world.case(ONE) == row
    assert await machine.chain(ONE) == chain
    assert len(await machine.world.letters()) == 1


async def test_a_batch_holds_all_that_came_while_the_one_before_was_at_work(
    kernel: Installation, upstream: Upstream
) -> None:
    batches: list[int] = []
    go_on = asyncio.Event()

    async def handle(records: Sequence[ConsumerRecord]) -> None:
        batches.append(len(records))
        await go_on.wait()

    async def has_taken(number: int) -> bool:
        return len(batches) == number

    async with subscribed(kernel, handle):
        await send(kernel, upstream.event(ONE))
        await eventually_async(lambda: has_taken(1), within=30)
        await send(kernel, upstream.event(ONE, "b"))
        await send(kernel, upstream.event(TWO, "c"), upstream.command(ONE, "d"))
        go_on.set()
        await eventually_async(lambda: has_taken(2), within=30)

    assert batches == [1, 3]


async def _are_committed(kernel: Installation, count: int) -> bool:
    return await offsets(kernel) == count


async def _count(machine: Machine, count: int) -> bool:
    return len(machine.watcher.results) >= count


async def test_records_that_nobody_can_read_stop_no_partition(
    machine: Machine, kernel: Installation, upstream: Upstream
) -> None:
    bad = [
        replace(upstream.event(TWO), value=b"\xff\x00{"),
        replace(upstream.event(TWO), key=None),
        replace(upstream.event(TWO), headers=(("ce_id", b"\xff"),)),
        replace(upstream.event(TWO), headers=()),
    ]
    await send(kernel, *bad, upstream.event(ONE, "poison"), upstream.event(request(3), "a"), partition=0)

    async with reading(machine, kernel):
        await eventually_async(lambda: has_heard(machine, 3, 1), within=30)

    assert len(await machine.world.letters()) == 5
    assert await machine.is_blocked(ONE)
    assert await offsets(kernel) == 6


async def test_a_database_that_is_away_gives_the_batch_back_until_it_is_there_again(
    kernel: Installation, upstream: Upstream
) -> None:
    url = kernel.url("verification")
    parts = urlsplit(url)
    assert parts.hostname is not None
    async with switch_proxy(parts.hostname, parts.port or 5432) as switch, kernel.admin() as admin:
        pool = await open_pool(through(url, switch.port), application="habeas-test", size=3)
        machine = Machine(PostgresWorld(pool, admin, "verification"))
        async with reading(machine, kernel) as reader:
            await send(kernel, upstream.event(ONE, "a"))
            # A row may be seen before its handler knows that it is committed: cut off then, it gives this one back too.
            await eventually_async(lambda: _are_committed(kernel, 1), within=30)

            await switch.off()
            await send(kernel, upstream.event(ONE, "b"), upstream.event(TWO, "c"))
            await eventually_async(lambda: _given_back(reader), within=30)
            await eventually_async(lambda: _are_committed(kernel, 1), within=30)
            await switch.on()

            await eventually_async(lambda: has_heard(machine, 1, 2), within=30)
            await eventually_async(lambda: has_heard(machine, 2, 1), within=30)
        assert await machine.world.letters() == []
        await machine.is_sound(ONE, TWO)
        await pool.close()


async def _given_back(reader: object) -> bool:
    return getattr(reader, "given_back", 0) >= 2


async def test_members_that_come_and_go_lose_nothing_and_apply_nothing_twice(
    machine: Machine, kernel: Installation, upstream: Upstream
) -> None:
    numbers = range(1, 41)

    async def more(words: str) -> None:
        await send(kernel, *(upstream.event(request(number), words) for number in numbers))

    async def all_heard(count: int) -> bool:
        return all([await has_heard(machine, number, count) for number in numbers])

    await more("a")
    async with reading(machine, kernel):
        await more("b")
        async with reading(machine.another(), kernel):
            await more("c")
            await eventually_async(lambda: all_heard(3), within=60)
        await more("d")
        await eventually_async(lambda: all_heard(4), within=60)

    await machine.is_sound(*(request(number) for number in numbers))
    assert {len(await machine.chain(request(number))) for number in numbers} == {4}


@pytest.mark.durable
async def test_a_broker_that_goes_and_comes_back_is_read_on_from_where_it_was(
    machine: Machine, kernel: Installation, upstream: Upstream, kafka_switch: SwitchProxy
) -> None:
    async with reading(machine, kernel, bootstrap=f"127.0.0.1:{kafka_switch.port}") as reader:
        await send(kernel, upstream.event(ONE, "a"))
        await eventually_async(lambda: has_heard(machine, 1, 1), within=30)

        await kafka_switch.off()
        await send(kernel, upstream.event(ONE, "b"))
        await kafka_switch.on()

        await eventually_async(lambda: has_heard(machine, 1, 2), within=60)
        assert not reader.subscription.ended
    await machine.is_sound(ONE)
