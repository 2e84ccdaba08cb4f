"""Topics read from their first record to what was their last when the reading began."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.broker import CLI, broker_of, let_go
from shared.events.envelope import Raw, Record, Unreadable, read
from shared.events.topics import LIFECYCLE
from shared.settings import Settings

CLIENT = "habeas-events"


async def partitions_of(settings: Settings, topics: Iterable[str]) -> dict[str, list[int]]:
    """The partition numbers of those declared topics that are there, by the name that they have on the broker.

    Raises:
        aiokafka.errors.KafkaError: the broker is away.
    """
    admin = AIOKafkaAdminClient(**broker_of(settings, CLI).client(), client_id=CLIENT)
    try:
        await admin.start()
        wanted = {settings.namespace + name for name in topics}
        present = sorted(wanted & set(await admin.list_topics()))
        described = await admin.describe_topics(present) if present else []
    finally:
        await let_go(admin.close())
    return {one["topic"]: sorted(part["partition"] for part in one["partitions"]) for one in described}


async def replay(
    settings: Settings,
    places: Sequence[TopicPartition],
    *,
    starts: Mapping[TopicPartition, int] | None = None,
    ends: Mapping[TopicPartition, int] | None = None,
) -> AsyncIterator[ConsumerRecord]:
    """Every record of the partitions, each partition's in order: from its first, to what is now its end."""
    if not places:
        return
    async with _consumer(settings) as consumer:
        consumer.assign(places)
        # Nothing is awaited in between: the client's own choice of a position (the earliest) would race with it.
        for place, offset in (starts or {}).items():
            consumer.seek(place, offset)
        until = ends or await consumer.end_offsets(places)
        while [place for place in places if await consumer.position(place) < until[place]]:
            for place, batch in (await consumer.getmany(timeout_ms=500)).items():
                for record in batch:
                    if record.offset < until[place]:
                        yield record


async def ends_of(settings: Settings, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """Where each partition ends now."""
    if not places:
        return {}
    async with _consumer(settings) as consumer:
        found: dict[TopicPartition, int] = await consumer.end_offsets(places)
        return found


@asynccontextmanager
async def _consumer(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        **broker_of(settings, CLI).client(),
        client_id=CLIENT,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await let_go(consumer.stop())


async def lifecycle_places(settings: Settings) -> list[TopicPartition]:
    """The partitions of the lifecycle topics that are there."""
    numbers = await partitions_of(settings, (topic.name for topic in LIFECYCLE))
    return [TopicPartition(name, each) for name, partitions in numbers.items() for each in partitions]


async def lifecycle(settings: Settings) -> AsyncIterator[Record | Unreadable]:
    """Every record of the lifecycle topics, from the first on; each request's in order by topic.

    Raises:
        aiokafka.errors.KafkaError: the broker is away.
    """
    async for record in replay(settings, await lifecycle_places(settings)):
        yield read(raw(record, settings.namespace))


def raw(record: ConsumerRecord, namespace: str) -> Raw:
    """The record as the catalogue reads it."""
    return Raw(
        topic=record.topic.removeprefix(namespace),
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        headers=tuple(record.headers),
        value=record.value or b"",
    )
