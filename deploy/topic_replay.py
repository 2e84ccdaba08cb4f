"""Topics read from their first record to what was their last when the reading began."""

from collections.abc import AsyncIterator, Iterable, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.events.envelope import Raw, Record, Unreadable, read
from shared.events.topics import LIFECYCLE
from shared.settings import Settings

CLIENT = "habeas-events"


async def partitions_of(settings: Settings, topics: Iterable[str]) -> dict[str, list[int]]:
    """The partition numbers of those declared topics that are there, by the name that they have on the broker.

    Raises:
        aiokafka.errors.KafkaError: the broker is away.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap, client_id=CLIENT)
    try:
        await admin.start()
        wanted = {settings.namespace + name for name in topics}
        present = sorted(wanted & set(await admin.list_topics()))
        described = await admin.describe_topics(present) if present else []
    finally:
        await admin.close()
    return {one["topic"]: sorted(part["partition"] for part in one["partitions"]) for one in described}


async def replay(settings: Settings, places: Sequence[TopicPartition]) -> AsyncIterator[ConsumerRecord]:
    """Every record of the partitions up to their ends of now; each partition's in order."""
    if not places:
        return
    # From the earliest record by itself: a seek after `assign` races with the client's own choice of a position.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap,
        client_id=CLIENT,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    try:
        await consumer.start()
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        while [place for place in places if await consumer.position(place) < ends[place]]:
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                for record in batch:
                    yield record
    finally:
        await consumer.stop()


async def lifecycle(settings: Settings) -> AsyncIterator[Record | Unreadable]:
    """Every record of the lifecycle topics, from the first on; each request's in order by topic.

    Raises:
        aiokafka.errors.KafkaError: the broker is away.
    """
    numbers = await partitions_of(settings, (topic.name for topic in LIFECYCLE))
    places = [TopicPartition(name, each) for name, partitions in numbers.items() for each in partitions]
    async for record in replay(settings, places):
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
