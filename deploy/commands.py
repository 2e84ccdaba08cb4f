"""Sends a person's decision to a service: signed with the CLI's key, keyed by its request."""

import asyncio
import json
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from shared.events import envelope
from shared.events.envelope import Envelope
from shared.events.message import Command
from shared.events.topics import JOURNALS
from shared.hosting import clock_of
from shared.ids import new_id
from shared.keyfiles import KeyFiles
from shared.settings import Settings
from shared.signing import CommandIdentity, sign_command

SOURCE = "habeas/cli"
ANSWER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said to a command; `unanswered` when it said nothing in time."""

    command_id: UUID
    state: Literal["accepted", "refused", "unanswered"]
    reason: str = ""


async def decide(settings: Settings, request_id: UUID, body: Command) -> Answer:
    """Send a decision and wait for the service's answer on its journal."""
    service = body.declared.topic.readers[0]
    journal = AIOKafkaConsumer(
        settings.namespace + JOURNALS[service].name,
        bootstrap_servers=settings.kafka_bootstrap,
        auto_offset_reset="latest",
        enable_auto_commit=False,
    )
    try:
        await journal.start()
        # Read on from today's end, which is found before the command is sent: its answer cannot be missed.
        await journal.seek_to_end()
        command_id = await send_command(settings, request_id, body)
        return await _answer(journal, command_id)
    finally:
        await journal.stop()


async def _answer(journal: AIOKafkaConsumer, command_id: UUID) -> Answer:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            async for record in journal:
                said = json.loads(record.value)
                if said.get("command_id") == str(command_id):
                    reason = said.get("reason", "")
                    return Answer(command_id, "refused" if reason else "accepted", reason)
    except TimeoutError:
        pass
    return Answer(command_id, "unanswered", f"no answer within {ANSWER_SECONDS:.0f} s; it is not lost")


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
        bootstrap_servers=settings.kafka_bootstrap,
        acks="all",
        enable_idempotence=True,
        client_id="habeas-cli",
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
