"""Sends a person's decision to a service: signed with the CLI's key, keyed by its request."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from shared.broker import CLI, broker_of, let_go
from shared.events import envelope
from shared.events.envelope import Envelope
from shared.events.message import Command
from shared.events.topics import JOURNALS
from shared.hosting import clock_of
from shared.ids import new_id
from shared.keyfiles import KeyFiles
from shared.settings import Settings
from shared.signing import CommandIdentity, KeyRing, sign_command

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
    async with journal_from_now(settings, body.declared.topic.readers[0]) as journal:
        return await _answer(journal, await send_command(settings, request_id, body))


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
    signed = sign(settings, KeyFiles(settings.keys).cli(), request_id, body)
    async with publishing(settings) as producer:
        await producer.send_and_wait(*signed.record, headers=signed.headers)
    return signed.id


@dataclass(frozen=True, slots=True)
class Signed:
    """A command as it goes onto its topic: name, value and key of the record."""

    id: UUID
    record: tuple[str, bytes, bytes]
    headers: list[tuple[str, bytes]]


def sign(settings: Settings, ring: KeyRing, request_id: UUID, body: Command) -> Signed:
    """A person's decision, signed with the CLI's key."""
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
        business=getattr(body, "business", ""),
        correlation_id=str(request_id),
        traceparent="",
        signature=sign_command(value, identity, ring),
    )
    headers = [(name, text.encode()) for name, text in envelope.write(head).items()]
    return Signed(
        command_id, (settings.namespace + body.declared.topic.name, value, str(request_id).encode()), headers
    )


@asynccontextmanager
async def publishing(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that waits until the broker has what it was given."""
    producer = AIOKafkaProducer(
        **broker_of(settings, CLI).client(),
        acks="all",
        enable_idempotence=True,
        client_id="habeas-cli",
    )
    await producer.start()
    try:
        yield producer
    finally:
        await let_go(producer.stop())


@asynccontextmanager
async def journal_from_now(settings: Settings, service: str) -> AsyncIterator[AIOKafkaConsumer]:
    """What a service states from now on: the ends are found before anything is sent, so no answer can be missed."""
    journal = AIOKafkaConsumer(
        settings.namespace + JOURNALS[service].name,
        **broker_of(settings, CLI).client(),
        auto_offset_reset="latest",
        enable_auto_commit=False,
    )
    try:
        await journal.start()
        await journal.seek_to_end()
        yield journal
    finally:
        await let_go(journal.stop())
