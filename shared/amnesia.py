"""A service on an empty database refuses to start while its own topics hold records.

Such a service was restored wrongly: it would give out sequence numbers that its readers have already seen, and they
would ignore everything that it says. `habeas recover` is the way back.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError

from shared.broker import Broker, broker_of, let_go, why_away
from shared.events.topics import TOPICS

if TYPE_CHECKING:
    from shared.hosting import Resources


class LostMemory(RuntimeError):
    """The database is empty and the topics are not; the sentence says what to do."""


async def refuse_amnesia(resources: "Resources") -> None:
    """Raise LostMemory when the service has no case while one of its own event topics holds records."""
    if await resources.pool.fetchval("SELECT EXISTS (SELECT 1 FROM cases)"):
        return
    settings = resources.settings
    own = [
        settings.namespace + topic.name
        for topic in TOPICS
        if topic.kind == "event" and resources.service in topic.writers
    ]
    if await _records(broker_of(settings, resources.service), own):
        message = (
            f"{resources.service}: the database is empty, but its topics hold records. Restore the database and run"
            f" `habeas recover {resources.service}`, or remove the topics if this is a new installation."
        )
        raise LostMemory(message)


async def _records(broker: Broker, topics: Sequence[str]) -> int:
    consumer = AIOKafkaConsumer(*topics, **broker.client(), enable_auto_commit=False)
    try:
        await consumer.start()
    except KafkaConnectionError:
        await let_go(consumer.stop())
        raise await why_away(broker) from None
    try:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        return sum(ends.values())
    finally:
        await let_go(consumer.stop())
