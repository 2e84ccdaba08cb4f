"""The lifecycle of one request, read from Kafka's event topics as it lies there."""

import asyncio
from uuid import UUID

from aiokafka import TopicPartition
from aiokafka.partitioner import DefaultPartitioner

from deploy.topic_replay import partitions_of, raw, replay
from shared.events.envelope import Record, Unreadable, read
from shared.events.topics import TOPICS
from shared.settings import Settings

LONGEST_SECONDS = 60.0


async def history(settings: Settings, request_id: UUID) -> list[Record | Unreadable]:
    """Everything that was stated about a request, by time; only the partitions of its key are read.

    Raises:
        aiokafka.errors.KafkaError: the broker is away.
        TimeoutError: it answered too slowly.
    """
    key = str(request_id).encode()
    async with asyncio.timeout(LONGEST_SECONDS):
        places = await _places(settings, key)
        found = [record async for record in replay(settings, places) if record.key == key]
    return sorted((read(raw(one, settings.namespace)) for one in found), key=_order)


async def _places(settings: Settings, key: bytes) -> list[TopicPartition]:
    """Where the key lies on each event topic that is there."""
    choose = DefaultPartitioner()
    numbers = await partitions_of(settings, (topic.name for topic in TOPICS if topic.kind == "event"))
    return [TopicPartition(name, choose(key, each, each)) for name, each in numbers.items()]


def _order(one: Record | Unreadable) -> tuple[bool, str, int]:
    """By time, as its writer stated it; what cannot be read comes last."""
    if isinstance(one, Unreadable):
        return True, one.raw.topic, one.raw.offset
    return False, one.envelope.time.isoformat(), one.raw.offset
