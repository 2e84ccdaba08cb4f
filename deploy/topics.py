"""Creates the declared topics on a broker; `habeas topics apply` calls this."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaTimeoutError, TopicAlreadyExistsError, for_code

from shared.broker import ADMIN, broker_of, let_go
from shared.events.topics import FAMILIES, TOPICS, Topic
from shared.settings import Settings

_LOOKS = 1000
_PAUSE_SECONDS = 0.03


@dataclass(frozen=True, slots=True)
class Report:
    """What was created, what was there, and what differs from its declaration."""

    created: tuple[str, ...]
    present: tuple[str, ...]
    different: tuple[str, ...]

    def to_json(self) -> dict[str, list[str]]:
        return {
            "created": list(self.created),
            "present": list(self.present),
            "different": list(self.different),
        }


async def apply(settings: Settings, topics: Sequence[Topic] = TOPICS) -> Report:
    """Create the missing topics and wait until they are seen; nothing that exists is changed.

    Raises:
        aiokafka.errors.KafkaError: the broker is away or refuses.
    """
    admin = AIOKafkaAdminClient(**broker_of(settings, ADMIN).client(), client_id="habeas-topics")
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        wanted = {settings.namespace + topic.name: topic for topic in topics}
        missing = [name for name in wanted if name not in existing]
        replicas = await _replicas(admin)
        if missing:
            await _create(admin, [_new(name, wanted[name], replicas) for name in missing])
            await _seen(admin, set(missing))
        present = [name for name in wanted if name in existing]
        return Report(tuple(missing), tuple(present), await _different(admin, present, wanted))
    finally:
        await let_go(admin.close())


async def vendor_topics(settings: Settings, *, writer: str = "", reader: str = "") -> list[Topic]:
    """The vendors' topics that this service writes or reads, as far as the broker has them.

    Raises:
        aiokafka.errors.KafkaError: the broker is away.
    """
    families = [one for one in FAMILIES if writer in one.writers or reader in one.readers]
    if not families:
        return []
    admin = AIOKafkaAdminClient(**broker_of(settings, ADMIN).client(), client_id="habeas-topics")
    await admin.start()
    try:
        names = [
            name.removeprefix(settings.namespace)
            for name in await admin.list_topics()
            if name.startswith(settings.namespace)
        ]
    finally:
        await let_go(admin.close())
    vendors = [
        (family, vendor) for family in families for name in names if (vendor := family.vendor_in(name))
    ]
    return [family.of(vendor) for family, vendor in sorted(vendors, key=lambda one: (one[0].name, one[1]))]


async def _create(admin: AIOKafkaAdminClient, topics: Sequence[NewTopic]) -> None:
    """The answer carries an error for each topic, which the client does not raise."""
    answer = await admin.create_topics(topics)
    for name, code, *_ in answer.topic_errors:
        if code not in {0, TopicAlreadyExistsError.errno}:
            raise for_code(code)(name)


async def _seen(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """A consumer that joins before a topic is known would not look for it again for minutes."""
    for _ in range(_LOOKS):
        if names <= set(await admin.list_topics()):
            return
        await asyncio.sleep(_PAUSE_SECONDS)
    raise KafkaTimeoutError


def _new(name: str, topic: Topic, replicas: int) -> NewTopic:
    policy = "compact" if topic.kind == "state" else "delete"
    config = {"retention.ms": str(topic.retention_ms), "cleanup.policy": policy}
    if replicas > 1:
        config["min.insync.replicas"] = "2"
    return NewTopic(name, topic.partitions, replicas, topic_configs=config)


async def _replicas(admin: AIOKafkaAdminClient) -> int:
    cluster = await admin.describe_cluster()
    return min(3, len(cluster["brokers"]))


async def _different(
    admin: AIOKafkaAdminClient, names: list[str], wanted: dict[str, Topic]
) -> tuple[str, ...]:
    if not names:
        return ()
    found = await admin.describe_topics(names)
    return tuple(
        f"{one['topic']} has {len(one['partitions'])} partitions, {wanted[one['topic']].partitions} are declared"
        for one in found
        if len(one["partitions"]) < wanted[one["topic"]].partitions
    )
