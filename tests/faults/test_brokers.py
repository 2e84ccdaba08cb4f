"""Three brokers that copy each other, killed in turn: replication 3, two in sync are enough."""

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.pace import pause
from deploy.local.stack import StackInfo
from shared.events.topics import RECEIVED, VERIFIED
from shared.outbox.producer import KafkaProducer
from shared.outbox.relay import Relay
from tests.faults.record import Tally
from tests.faults.servers import end_at_once, frozen, start_again
from tests.faults.trial import trial
from tests.faults.world import World
from tests.support.eventually import eventually_async
from tests.support.installation import Installations
from tests.support.kafka_records import read
from tests.support.machine import request
from tests.support.outbox import a_relay, a_row, firsts, put, unpublished

pytestmark = [pytest.mark.connected, pytest.mark.durable, pytest.mark.fault, pytest.mark.long]

ROUNDS = 3
AWAY_SECONDS = 8.0


@pytest.mark.timeout(900)
@pytest.mark.parametrize("who", ["leader", "controller", "follower"])
async def test_a_broker_killed_under_load_costs_no_request(replicated: World, who: str) -> None:
    topic = replicated.running.installation.topic(RECEIVED)
    async with trial(replicated, f"kill -9 of one of three brokers: the {who}") as found:
        asking = asyncio.get_running_loop().create_task(found.ask(20 * ROUNDS, each=1.0))
        for _ in range(ROUNDS):
            node = (await _roles(replicated.stack, topic))[who]
            end_at_once(replicated.stack, f"kafka-{node}")
            found.inject()
            await pause(AWAY_SECONDS)
            await start_again(replicated.stack)
            await eventually_async(lambda: _in_sync(replicated.stack, topic), within=60)
            found.lift()
        await asking
        found.lift()


@pytest.mark.timeout(300)
async def test_a_partition_without_a_leader_for_longer_than_a_request_may_take_loses_no_record(
    three: StackInfo, on_three: Installations
) -> None:
    kernel = await on_three.make(topics=())
    topic, tally = kernel.topic(VERIFIED), Tally("partition without a leader")
    async with _admin(three) as admin:
        await admin.create_topics([NewTopic(topic, num_partitions=3, replication_factor=1)])
    producer = KafkaProducer(
        {"bootstrap_servers": three.kafka_bootstrap, "client_id": "test-relay", "request_timeout_ms": 3000},
        namespace=kernel.settings.namespace,
    )
    people = [request(number) for number in range(30)]
    async with kernel.pool("verification") as pool:
        relay = a_relay(pool, producer)
        await put(pool, [a_row(one, sequence) for sequence in range(1, 4) for one in people])
        await relay.turn()
        end_at_once(three, f"kafka-{(await _roles(three, topic))['leader']}")
        tally.injected += 1
        tally.in_flight.append(await unpublished(pool))
        for _ in range(6):
            await relay.turn()
        assert await unpublished(pool) > 0
        await start_again(three)
        await eventually_async(lambda: _drained(relay, pool), within=120)
        tally.lost = await unpublished(pool)
    await producer.close()
    tally.write()
    records = await read(three.kafka_bootstrap, topic, at_least=90)
    assert firsts(records) == {str(one).encode(): [1, 2, 3] for one in people}


@pytest.mark.timeout(300)
async def test_records_wait_while_too_few_brokers_hold_a_copy_and_go_out_in_order_after(
    three: StackInfo, on_three: Installations
) -> None:
    """Two copies, both of which must have a record, and one of them hangs: the leader appends alone."""
    kernel = await on_three.make(topics=())
    topic, tally = kernel.topic(VERIFIED), Tally("too few copies in sync")
    async with _admin(three) as admin:
        settings = {"min.insync.replicas": "2"}
        await admin.create_topics([NewTopic(topic, 1, 2, topic_configs=settings)])
    producer = KafkaProducer(
        {"bootstrap_servers": three.kafka_bootstrap, "client_id": "test-relay"},
        namespace=kernel.settings.namespace,
    )
    people = [request(number) for number in range(30)]
    async with kernel.pool("verification") as pool:
        relay = a_relay(pool, producer)
        await put(pool, [a_row(one, sequence) for sequence in range(1, 4) for one in people])
        await relay.turn()
        copy = await _copy(three, topic)
        with frozen(three, f"kafka-{copy}"):
            tally.injected += 1
            tally.in_flight.append(await unpublished(pool))
            for _ in range(3):
                await relay.turn()
            assert await unpublished(pool) == 60
        await eventually_async(lambda: _drained(relay, pool), within=120)
        tally.lost = await unpublished(pool)
    await producer.close()
    tally.write()
    records = await read(three.kafka_bootstrap, topic, at_least=90)
    assert firsts(records) == {str(one).encode(): [1, 2, 3] for one in people}


async def _copy(stack: StackInfo, topic: str) -> int:
    """The broker that follows the leader of the topic's only partition."""
    async with _admin(stack) as admin:
        (described,) = await admin.describe_topics([topic])
    (partition,) = described["partitions"]
    return next(int(one) for one in partition["replicas"] if one != partition["leader"])


async def _drained(relay: Relay, pool: asyncpg.Pool) -> bool:
    await relay.turn()
    return await unpublished(pool) == 0


async def _roles(stack: StackInfo, topic: str) -> dict[str, int]:
    """Who leads the topic's first partition, who leads the controllers, and who does neither if there is one."""
    async with _admin(stack) as admin:
        (described,) = await admin.describe_topics([topic])
    leader = next(int(one["leader"]) for one in described["partitions"] if one["partition"] == 0)
    controller = _controller(stack.home)
    others = [node for node in (1, 2, 3) if node not in {leader, controller}]
    return {"leader": leader, "controller": controller, "follower": others[0]}


def _controller(home: Path) -> int:
    """The leader of the quorum; clients are told any broker."""
    states = [
        json.loads(file.read_text()) for file in home.glob("kafka-*/data/__cluster_metadata-0/quorum-state")
    ]
    return int(max(states, key=lambda one: one["leaderEpoch"])["leaderId"])


async def _in_sync(stack: StackInfo, topic: str) -> bool:
    async with _admin(stack) as admin:
        (described,) = await admin.describe_topics([topic])
    return all(len(one["isr"]) == len(one["replicas"]) for one in described["partitions"])


def _admin(stack: StackInfo) -> "_Admin":
    return _Admin(AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap))


class _Admin:
    """The client as a block; aiokafka's own has none."""

    def __init__(self, client: AIOKafkaAdminClient) -> None:
        self._client = client

    async def __aenter__(self) -> AIOKafkaAdminClient:
        await self._client.start()
        return self._client

    async def __aexit__(self, *_error: object) -> None:
        await self._client.close()
