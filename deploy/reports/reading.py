"""The log, rebuilt from the first record of the lifecycle topics."""

from collections.abc import AsyncIterator, Callable
from uuid import UUID

from aiokafka import TopicPartition

from deploy.reports.records import RequestRecord, fold
from deploy.topic_replay import partitions_of, raw, replay
from shared.events.envelope import Record, read
from shared.events.message import Body
from shared.events.topics import LIFECYCLE
from shared.settings import Settings


async def request_log(
    settings: Settings, progress: Callable[[int], None] = lambda _: None
) -> list[RequestRecord]:
    """Every request's line; `progress` hears how many records were read.

    Raises:
        aiokafka.errors.KafkaError: the broker is away.
    """
    return fold([one async for one in _stated(settings, progress)])


async def _stated(settings: Settings, progress: Callable[[int], None]) -> AsyncIterator[tuple[UUID, Body]]:
    numbers = await partitions_of(settings, (topic.name for topic in LIFECYCLE))
    places = [TopicPartition(name, each) for name, partitions in numbers.items() for each in partitions]
    count = 0
    async for record in replay(settings, places):
        count += 1
        progress(count)
        found = read(raw(record, settings.namespace))
        if isinstance(found, Record):
            yield found.envelope.subject, found.body
