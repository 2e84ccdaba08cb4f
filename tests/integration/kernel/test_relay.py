"""The relay on the real broker and the real database: everything once at least, in order per topic and request."""

from dataclasses import replace

import asyncpg
import pytest

from deploy.topics import apply
from shared.events.topics import FULFILLED, SUPPRESSED, VERIFIED
from shared.machine.ports import Writes
from shared.machine.state_records import STATE_MONTH
from shared.machine.storage import PostgresStore
from shared.outbox import producer as producer_settings
from shared.outbox import statements as sql
from shared.outbox.relay import BATCH
from tests.support.installation import Installation
from tests.support.kafka_records import read
from tests.support.machine import request
from tests.support.outbox import (
    MONTH,
    Recording,
    WithoutTopic,
    a_producer,
    a_relay,
    a_row,
    firsts,
    put,
    unpublished,
    until_done,
)
from tests.support.switch_proxy import SwitchProxy

pytestmark = pytest.mark.connected
ONE, TWO = request(1), request(2)
LARGER_THAN_ANY_RECORD = 1_100_000


async def owners(pool: asyncpg.Pool) -> dict[str, int]:
    """How many shards each relay holds now."""
    rows = await pool.fetch(
        "SELECT owner, count(*) AS n FROM outbox_shards WHERE lease_until > clock_timestamp() GROUP BY owner"
    )
    return {row["owner"]: row["n"] for row in rows}


class Seconds:
    """A relay's own clock, moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_two_relays_publish_everything_in_order_per_request(
    kernel: Installation, pool: asyncpg.Pool
) -> None:
    requests = [request(number) for number in range(60)]
    await put(pool, [a_row(one, sequence) for sequence in range(1, 6) for one in requests])
    producers = [a_producer(kernel.settings.kafka_bootstrap, kernel.settings.namespace) for _ in range(2)]
    relays = [a_relay(pool, one, owner=f"relay {n}") for n, one in enumerate(producers)]

    await until_done(*relays)
    for producer in producers:
        await producer.close()

    records = await read(kernel.settings.kafka_bootstrap, kernel.topic(VERIFIED), at_least=300)
    assert len(records) == 300
    assert firsts(records) == {str(one).encode(): [1, 2, 3, 4, 5] for one in requests}
    assert await unpublished(pool) == 0
    assert sum(relay.published for relay in relays) == 300


async def test_what_is_over_goes_out_without_a_value_on_a_topic_that_is_compacted(
    kernel: Installation, pool: asyncpg.Pool
) -> None:
    await apply(kernel.settings, [SUPPRESSED])
    key = f"1:{'a' * 64}"
    kept = replace(a_row(ONE, 1), topic=SUPPRESSED.name, key=key, request_id=None, sequence=None)
    await put(pool, [kept])
    await put(pool, [replace(kept, value=b"")])
    producer = a_producer(kernel.settings.kafka_bootstrap, kernel.settings.namespace)

    await until_done(a_relay(pool, producer, owner="relay"))
    await producer.close()

    records = await read(kernel.settings.kafka_bootstrap, kernel.topic(SUPPRESSED), at_least=2)
    assert [(record.key, bool(record.value)) for record in records] == [
        (key.encode(), True),
        (key.encode(), False),
    ]
    assert records[1].value is None


async def test_relays_share_the_shards_fairly_as_they_come_and_go(pool: asyncpg.Pool) -> None:
    seconds = Seconds()
    first, second, third = (
        a_relay(pool, Recording(), owner=name, monotonic=seconds) for name in ("first", "second", "third")
    )

    async def turn(*relays: object) -> dict[str, int]:
        for _ in range(3):
            seconds.now += 10
            for relay in relays:
                await relay.turn()  # type: ignore[attr-defined]
        return await owners(pool)

    assert await turn(first) == {"first": 16}
    assert await turn(first, second) == {"first": 8, "second": 8}
    assert sorted((await turn(first, second, third)).values()) == [4, 6, 6]
    await second.release()
    assert await turn(first, third) == {"first": 8, "third": 8}
    await third.release()
    await first.release()
    assert await owners(pool) == {}


async def test_what_a_killed_relay_held_is_taken_over_under_a_new_epoch(pool: asyncpg.Pool) -> None:
    await a_relay(pool, Recording(), owner="killed").turn()
    await pool.execute("UPDATE outbox_shards SET lease_until = clock_timestamp() - interval '1 second'")
    await pool.execute("UPDATE outbox_relays SET seen_at = clock_timestamp() - interval '1 hour'")

    await a_relay(pool, Recording(), owner="next").turn()

    assert await owners(pool) == {"next": 16}
    assert await pool.fetchval("SELECT min(epoch) FROM outbox_shards") == 2


async def test_a_relay_that_froze_past_its_lease_marks_nothing(pool: asyncpg.Pool) -> None:
    async def steal() -> None:
        await pool.execute(
            "UPDATE outbox_shards SET owner = 'thief', epoch = epoch + 1, lease_until = 'infinity'"
        )

    await put(pool, [a_row(ONE, 1), a_row(TWO, 1)])
    frozen = a_relay(pool, Recording(steal), owner="frozen")

    assert await frozen.turn()

    assert (frozen.published, await unpublished(pool)) == (0, 2)
    assert not await frozen.turn()
    thief = a_relay(pool, Recording(), owner="thief")
    await pool.execute("UPDATE outbox_shards SET lease_until = clock_timestamp() + interval '1 minute'")
    await thief.turn()
    assert await unpublished(pool) == 0


async def test_the_same_owner_after_its_lease_ran_out_has_another_epoch(pool: asyncpg.Pool) -> None:
    async def lapse() -> None:
        await pool.execute("UPDATE outbox_shards SET lease_until = clock_timestamp() - interval '1 second'")
        await pool.fetch(sql.ACQUIRE, "slow", 30, 16)

    await put(pool, [a_row(ONE, 1)])
    slow = a_relay(pool, Recording(lapse), owner="slow")

    await slow.turn()

    assert (slow.published, await unpublished(pool)) == (0, 1)


async def test_a_record_too_large_blocks_its_own_topic_and_request_only(
    kernel: Installation, pool: asyncpg.Pool
) -> None:
    large = a_row(ONE, 1, value=b"x" * LARGER_THAN_ANY_RECORD)
    elsewhere = replace(a_row(ONE, 1), topic="dsar.closed")
    await put(pool, [large, a_row(ONE, 2), a_row(TWO, 1), elsewhere, a_row(TWO, 2)])
    producer = a_producer(kernel.settings.kafka_bootstrap, kernel.settings.namespace)

    await until_done(a_relay(pool, producer))
    await producer.close()

    rows = await pool.fetch(
        "SELECT sequence, blocked_reason FROM outbox WHERE published_at IS NULL ORDER BY id"
    )
    assert [tuple(row) for row in rows] == [(1, "MessageSizeTooLargeError"), (2, None)]
    assert await pool.fetchval(sql.BLOCKED) == 1
    await pool.execute("UPDATE outbox SET value = 'small' WHERE blocked_at IS NOT NULL")
    await pool.execute(sql.UNBLOCK, ONE)
    await until_done(a_relay(pool, producer, owner="one"))
    await producer.close()
    topic = kernel.topic(VERIFIED)
    assert firsts(await read(kernel.settings.kafka_bootstrap, topic, at_least=4))[str(ONE).encode()] == [1, 2]


async def test_a_missing_topic_keeps_its_own_records_waiting_until_it_is_there(
    kernel: Installation, pool: asyncpg.Pool
) -> None:
    missing = [a_row(request(number), 1, topic=FULFILLED.name) for number in range(20)]
    await put(pool, [*missing, a_row(ONE, 1), a_row(ONE, 2)])
    producer = a_producer(kernel.settings.kafka_bootstrap, kernel.settings.namespace)
    relay = a_relay(pool, producer)

    await until_done(relay)
    assert await unpublished(pool) == 20
    assert await pool.fetchval(sql.BLOCKED) == 0
    await apply(kernel.settings, [replace(FULFILLED, partitions=2)])
    await until_done(relay)
    await producer.close()

    assert await unpublished(pool) == 0
    assert len(await read(kernel.settings.kafka_bootstrap, kernel.topic(FULFILLED), at_least=20)) == 20


async def test_resync_sends_a_request_s_records_again_in_their_order(
    kernel: Installation, pool: asyncpg.Pool
) -> None:
    await put(pool, [a_row(ONE, 1), a_row(TWO, 1), a_row(ONE, 2), a_row(ONE, 3)])
    producer = a_producer(kernel.settings.kafka_bootstrap, kernel.settings.namespace)
    relay = a_relay(pool, producer)
    await until_done(relay)

    await pool.execute(sql.RESYNC, ONE)
    await put(pool, [a_row(ONE, 4)])
    await until_done(relay)
    await producer.close()

    records = await read(kernel.settings.kafka_bootstrap, kernel.topic(VERIFIED), at_least=8)
    mine = [int(dict(r.headers)["ce_sequence"]) for r in records if r.key == str(ONE).encode()]
    assert mine == [1, 2, 3, 1, 2, 3, 4]


async def test_rows_of_several_months_are_marked_each_in_its_partition(pool: asyncpg.Pool) -> None:
    rows = [a_row(ONE, 1), replace(a_row(TWO, 1), opened_month=MONTH.replace(month=1))]
    await put(pool, rows)

    await until_done(a_relay(pool, Recording()))

    assert await unpublished(pool) == 0


async def test_a_month_of_closed_requests_goes_as_a_whole_once_everything_of_it_was_published(
    pool: asyncpg.Pool,
) -> None:
    month = await pool.fetchval("SELECT date_trunc('month', now() - interval '1 month')::date")
    later = "SELECT forget_outbox(date_trunc('month', now()) + interval '1 hour')"
    async with PostgresStore(pool).transaction() as transaction:
        row = (await transaction.lock([ONE], month))[ONE]
        record = replace(a_row(ONE, 1), opened_month=month)
        await transaction.write(Writes(cases=[row], outbox=[record]))
    await until_done(a_relay(pool, Recording()))
    assert await pool.fetchval(later) == 0

    await pool.execute("UPDATE cases SET closed_at = opened_month")
    await pool.execute("UPDATE outbox SET published_at = NULL, blocked_at = now()")
    assert await pool.fetchval(later) == 0

    await pool.execute("UPDATE outbox SET published_at = now()")
    assert await pool.fetchval(later) == 1
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 0
    await put(pool, [replace(a_row(ONE, 2), opened_month=month)])


async def test_a_state_record_goes_from_the_outbox_when_it_has_been_out_for_long(pool: asyncpg.Pool) -> None:
    states = [
        replace(a_row(request(number), 1), opened_month=STATE_MONTH, request_id=None, sequence=None)
        for number in range(3)
    ]
    await put(pool, states)
    await until_done(a_relay(pool, Recording()))
    outs = ("now() - interval '31 days'", "now()", "NULL")
    for state, out in zip(states, outs, strict=True):
        await pool.execute(f"UPDATE outbox SET published_at = {out} WHERE key = $1", state.key)  # noqa: S608 - the words above

    await pool.fetchval("SELECT forget_outbox(now() - interval '30 days')")

    left = {row["key"] for row in await pool.fetch("SELECT key FROM outbox")}
    assert left == {state.key for state in states[1:]}


@pytest.mark.durable
async def test_a_broker_that_goes_and_comes_back_loses_nothing_and_keeps_the_order(
    kernel: Installation, pool: asyncpg.Pool, kafka_switch: SwitchProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer_settings, "SEND_LIMIT_SECONDS", 1.0)
    monkeypatch.setattr(producer_settings, "CLOSE_LIMIT_SECONDS", 0.3)
    requests = [request(number) for number in range(30)]
    await put(pool, [a_row(one, sequence) for sequence in (1, 2) for one in requests])
    producer = a_producer(f"127.0.0.1:{kafka_switch.port}", kernel.settings.namespace)
    relay = a_relay(pool, producer)
    await relay.turn()
    assert relay.published == 30

    await kafka_switch.off()
    await put(pool, [a_row(one, 3) for one in requests])
    for _ in range(3):
        assert not await relay.turn()
    assert await unpublished(pool) == 60
    await kafka_switch.on()
    monkeypatch.setattr(producer_settings, "SEND_LIMIT_SECONDS", 10.0)
    while await unpublished(pool):
        await relay.turn()
    await producer.close()

    records = await read(kernel.settings.kafka_bootstrap, kernel.topic(VERIFIED), at_least=90)
    assert firsts(records) == {str(one).encode(): [1, 2, 3] for one in requests}


@pytest.mark.parametrize("sequences", [(1,), (1, 2)], ids=["heads alone", "with others behind them"])
async def test_a_batch_that_must_wait_for_its_topic_holds_up_nothing_behind_it(
    pool: asyncpg.Pool, sequences: tuple[int, ...]
) -> None:
    """Each turn is a poll apart, as when nothing wakes the relay: a second, in which it returns to the beginning."""
    waiting = [a_row(request(number), each) for number in range(BATCH) for each in sequences]
    await put(pool, [*waiting, a_row(ONE, 1, topic="dsar.closed")])
    seconds = 100.0
    relay = a_relay(pool, WithoutTopic("dsar.verified"), monotonic=lambda: seconds)

    for _ in range(3):
        await until_done(relay, turns=20)
        seconds += 1.0

    assert relay.published == 1
    assert await unpublished(pool) == len(waiting)
