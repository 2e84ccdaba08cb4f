"""The heads that lifecycle events carry: what each service said of its own history when it spoke."""

from collections import defaultdict
from uuid import UUID

from aiokafka import TopicPartition

from deploy.topic_replay import partitions_of, raw, replay
from shared.events.envelope import Record, read
from shared.events.topics import LIFECYCLE
from shared.settings import Settings


async def stated_heads(settings: Settings) -> dict[tuple[str, UUID], set[str]]:
    """By service and request, every audit head that one of its lifecycle events names."""
    numbers = await partitions_of(settings, (topic.name for topic in LIFECYCLE))
    places = [TopicPartition(name, each) for name, partitions in numbers.items() for each in partitions]
    found: dict[tuple[str, UUID], set[str]] = defaultdict(set)
    async for record in replay(settings, places):
        event = read(raw(record, settings.namespace))
        if not isinstance(event, Record):
            continue
        head = getattr(event.body, "audit_head", "")
        if head:
            service = event.envelope.source.removeprefix("habeas/")
            found[service, event.envelope.subject].add(head)
    return found
