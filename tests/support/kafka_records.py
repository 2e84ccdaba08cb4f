"""Whole records on topics: written as their writers would, read back from the beginning."""

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.events.envelope import Raw

POLL_MS = 200


async def publish(
    bootstrap: str, namespace: str, raws: Sequence[Raw], *, partition: int | None = None
) -> None:
    """Acknowledged by all in-sync copies when this returns."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True) as producer:
        for raw in raws:
            await producer.send_and_wait(
                namespace + raw.topic,
                value=raw.value,
                key=raw.key,
                headers=list(raw.headers),
                partition=partition,
            )


async def read(bootstrap: str, topic: str, *, at_least: int, polls: int = 100) -> list[ConsumerRecord]:
    """Everything on a topic, in the order of each partition, once there are so many (or there is no more to come)."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        found = await consumer._client._wait_on_metadata(topic)  # noqa: SLF001 - there is no public way to ask
        consumer.assign([TopicPartition(topic, number) for number in found])
        await consumer.seek_to_beginning()
        records: list[ConsumerRecord] = []
        for _ in range(polls):
            batches = await consumer.getmany(timeout_ms=POLL_MS)
            records.extend(record for batch in batches.values() for record in batch)
            if len(records) >= at_least and not batches:
                return records
        return records
    finally:
        await consumer.stop()


async def committed(bootstrap: str, group: str, topic: str) -> int:
    """The sum of a group's committed offsets on a topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return sum(max(0, found.offset) for place, found in offsets.items() if place.topic == topic)


async def rewind(bootstrap: str, group: str, topic: str) -> None:
    """Make a group that has no member read the topic from its beginning again."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        found = await consumer._client._wait_on_metadata(topic)  # noqa: SLF001 - there is no public way to ask
        places = [TopicPartition(topic, number) for number in found]
        consumer.assign(places)
        await consumer.commit(dict.fromkeys(places, 0))
    finally:
        await consumer.stop()
