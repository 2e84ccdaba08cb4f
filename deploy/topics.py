"""Creates the declared topics on a broker; `habeas topics apply` calls this."""

from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.events.topics import TOPICS, Topic
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Report:
    """What was created, what was there, and what differs from its declaration."""

    created: tuple[str, ...]
    present: tuple[str, ...]
    different: tuple[str, ...]

    def to_json(self) -> dict[str, list[str]]:
        return {"created": list(self.created), "present": list(self.present), "different": list(self.different)}


async def apply(settings: Settings) -> Report:
    """Create the missing topics; nothing that exists is changed.

    Raises:
        aiokafka.errors.KafkaError: the broker is away or refuses.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap, client_id="habeas-topics")
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        wanted = {settings.namespace + topic.name: topic for topic in TOPICS}
        missing = [name for name in wanted if name not in existing]
        replicas = await _replicas(admin)
        if missing:
            await admin.create_topics([_new(name, wanted[name], replicas) for name in missing])
        present = [name for name in wanted if name in existing]
        return Report(tuple(missing), tuple(present), await _different(admin, present, wanted))
    finally:
        await admin.close()


def _new(name: str, topic: Topic, replicas: int) -> NewTopic:
    config = {"retention.ms": str(topic.retention_ms), "cleanup.policy": "delete"}
    if replicas > 1:
        config["min.insync.replicas"] = "2"
    return NewTopic(name, topic.partitions, replicas, topic_configs=config)


async def _replicas(admin: AIOKafkaAdminClient) -> int:
    cluster = await admin.describe_cluster()
    return min(3, len(cluster["brokers"]))


async def _different(admin: AIOKafkaAdminClient, names: list[str], wanted: dict[str, Topic]) -> tuple[str, ...]:
    if not names:
        return ()
    found = await admin.describe_topics(names)
    return tuple(
        f"{one['topic']} has {len(one['partitions'])} partitions, {wanted[one['topic']].partitions} are declared"
        for one in found
        if len(one["partitions"]) != wanted[one["topic"]].partitions
    )
