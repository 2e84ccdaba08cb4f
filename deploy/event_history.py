"""The lifecycle of one request, read from Kafka's event topics as it lies there."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.partitioner import DefaultPartitioner

from shared.events.envelope import Raw, Record, Unreadable, read
from shared.events.topics import TOPICS
from shared.settings import Settings

LONGEST_SECONDS = 60.0


async def history(settings: Settings, request_id: UUID) -> list[Record | Unreadable]:
    """Everything that was stated about a request, by time; only the partitions of its key are read.

    Raises:
        aiokafka.errors.KafkaError: the broker is away.
        TimeoutError: it answered too slowly.
    """
    async with asyncio.timeout(LONGEST_SECONDS):
        places = await _places(settings, str(request_id).encode())
        found = await _records(settings, places, str(request_id).encode())
    return sorted((read(_raw(one, settings.namespace)) for one in found), key=_order)


async def _places(settings: Settings, key: bytes) -> list[TopicPartition]:
    """Where the key lies on each event topic that is there."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap, client_id="habeas-events")
    try:
        await admin.start()
        wanted = {settings.namespace + topic.name for topic in TOPICS if topic.kind == "event"}
        present = sorted(wanted & set(await admin.list_topics()))
        described = await admin.describe_topics(present) if present else []
    finally:
        await admin.close()
    choose = DefaultPartitioner()
    numbers = {one["topic"]: sorted(part["partition"] for part in one["partitions"]) for one in described}
    return [TopicPartition(name, choose(key, each, each)) for name, each in numbers.items()]


async def _records(settings: Settings, places: Sequence[TopicPartition], key: bytes) -> list[ConsumerRecord]:
    if not places:
        return []
    # From the earliest record by itself: a seek after `assign` races with the client's own choice of a position.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap,
        client_id="habeas-events",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    try:
        await consumer.start()
        consumer.assign(places)
        return await _to_the_end(consumer, places, key)
    finally:
        await consumer.stop()


async def _to_the_end(
    consumer: AIOKafkaConsumer, places: Sequence[TopicPartition], key: bytes
) -> list[ConsumerRecord]:
    ends = await consumer.end_offsets(places)
    found: list[ConsumerRecord] = []
    while [place for place in places if await consumer.position(place) < ends[place]]:
        batches = await consumer.getmany(timeout_ms=500)
        found.extend(record for batch in batches.values() for record in batch if record.key == key)
    return found


def _raw(record: ConsumerRecord, namespace: str) -> Raw:
    return Raw(
        topic=record.topic.removeprefix(namespace),
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        headers=tuple(record.headers),
        value=record.value or b"",
    )


def _order(one: Record | Unreadable) -> tuple[bool, str, int]:
    """By time, as its writer stated it; what cannot be read comes last."""
    if isinstance(one, Unreadable):
        return True, one.raw.topic, one.raw.offset
    return False, one.envelope.time.isoformat(), one.raw.offset
