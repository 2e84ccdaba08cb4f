"""Sends a person's decision to a service: signed with the CLI's key, keyed by its request."""

from uuid import UUID

from aiokafka import AIOKafkaProducer

from shared.events import envelope
from shared.events.envelope import Envelope
from shared.events.message import Command
from shared.hosting import clock_of
from shared.ids import new_id
from shared.keyfiles import KeyFiles
from shared.settings import Settings
from shared.signing import CommandIdentity, sign_command

SOURCE = "habeas/cli"


async def send_command(settings: Settings, request_id: UUID, body: Command) -> UUID:
    """Publish one command and wait until the broker has it; its id, by which it is answered.

    Raises:
        KeyFileRefused: the CLI's key is missing or open to others.
        aiokafka.errors.KafkaError: the broker is away or refuses.
    """
    command_id = new_id()
    value = body.model_dump_json().encode()
    identity = CommandIdentity(
        source=SOURCE,
        id=str(command_id),
        type=body.declared.ce_type,
        subject=str(request_id),
        actor=getattr(body, "actor", ""),
    )
    head = Envelope(
        id=command_id,
        source=SOURCE,
        ce_type=body.declared.ce_type,
        subject=request_id,
        time=clock_of(settings).now(),
        sequence=None,
        business="",
        correlation_id=str(request_id),
        traceparent="",
        signature=sign_command(value, identity, KeyFiles(settings.keys).cli()),
    )
    await _publish(settings, body.declared.topic.name, str(request_id), envelope.write(head), value)
    return command_id


async def _publish(settings: Settings, topic: str, key: str, headers: dict[str, str], value: bytes) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap, acks="all", enable_idempotence=True, client_id="habeas-cli"
    )
    await producer.start()
    try:
        await producer.send_and_wait(
            settings.namespace + topic,
            value,
            key=key.encode(),
            headers=[(name, text.encode()) for name, text in headers.items()],
        )
    finally:
        await producer.stop()
