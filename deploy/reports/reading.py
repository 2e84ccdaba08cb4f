"""The log, rebuilt from the first record of the lifecycle topics."""

from collections.abc import AsyncIterator, Callable
from uuid import UUID

from deploy.reports.records import RequestRecord, fold
from deploy.topic_replay import lifecycle
from shared.events.envelope import Record
from shared.events.message import Body
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
    count = 0
    async for found in lifecycle(settings):
        count += 1
        progress(count)
        if isinstance(found, Record):
            yield found.envelope.subject, found.body
