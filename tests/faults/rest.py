"""Whether nothing is at work any more, and every service has read everything."""

from aiokafka import AIOKafkaConsumer

from shared.events.topics import SERVICES, read_by
from tests.faults.world import World
from tests.support.eventually import eventually_async
from tests.support.kafka_records import committed

NOT_AT_REST = " + ".join(
    f"(SELECT count(*) FROM {service}.outbox WHERE published_at IS NULL)"  # noqa: S608 - our own names
    f" + (SELECT count(*) FROM {service}.tasks WHERE state NOT IN ('done', 'canceled') AND handler <> 'recheck')"
    for service in SERVICES
)


async def at_rest(world: World) -> None:
    """Wait until every record is sent and read, and every task is done, but for proofs that come later.

    What was read last may have left something to do: so it is looked at before and after.
    """

    async def settled() -> bool:
        return await _nothing_open(world) and await read_all(world) and await _nothing_open(world)

    await eventually_async(settled, within=60)


async def _nothing_open(world: World) -> bool:
    return await world.rows(f"SELECT {NOT_AT_REST}") == [(0,)]


async def read_all(world: World) -> bool:
    """Whether every group has committed everything that its topics hold."""
    settings = world.running.settings
    for service in SERVICES:
        for topic in read_by(service):
            name = settings.namespace + topic.name
            group = f"{settings.namespace}habeas.{service}"
            if await committed(settings.kafka_bootstrap, group, name) < await _end(
                settings.kafka_bootstrap, name
            ):
                return False
    return True


async def _end(bootstrap: str, topic: str) -> int:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        return sum((await consumer.end_offsets(consumer.assignment())).values())
    finally:
        await consumer.stop()
