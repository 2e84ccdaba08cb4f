"""The relay's producer: idempotent, acks=all, and thrown away at the first sign that it may be stuck.

aiokafka's idempotent producer keeps a batch for ever while brokers are away, and its `stop()` then hangs too. So a
send is waited for within a limit, and after that the whole producer is dropped, with a deadline on its close. What
the dropped one may still send is a late duplicate, which every consumer's gate ignores.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
)

log = structlog.get_logger("outbox")
# A record that raises one of these can never be sent as it is: its own request waits for a person.
PERMANENT = (MessageSizeTooLargeError, RecordTooLargeError, TopicAuthorizationFailedError, InvalidTopicError)
SEND_LIMIT_SECONDS = 30.0
CLOSE_LIMIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Sending:
    """One record to send."""

    topic: str
    key: str
    headers: str
    value: bytes


class ProducerLost(Exception):
    """The producer was dropped; nothing is known of what it had under way."""


class Producer(Protocol):
    """Sends records in order; the memory twin and Kafka's pass one suite."""

    async def send(self, records: Sequence[Sending]) -> list[str | None]:
        """Send all; for each None when acknowledged, or the reason why it can never be sent.

        Raises:
            ProducerLost: the outcome of the rest is unknown; sending again is safe.
        """
        ...

    async def close(self) -> None:
        """Give up the connection, within a deadline."""
        ...


class KafkaProducer:
    """aiokafka's producer behind a factory: built when needed, rebuilt after any doubt."""

    def __init__(self, settings: Mapping[str, object], *, namespace: str = "") -> None:
        self._settings = dict(settings)
        self._namespace = namespace
        self._producer: AIOKafkaProducer | None = None

    async def send(self, records: Sequence[Sending]) -> list[str | None]:
        """Hand all records over, then wait for the acknowledgements."""
        producer = await self._ready()
        try:
            async with asyncio.timeout(SEND_LIMIT_SECONDS):
                futures = [await self._hand_over(producer, record) for record in records]
                outcomes = await asyncio.gather(
                    *(f for f in futures if not isinstance(f, str)), return_exceptions=True
                )
        except (TimeoutError, KafkaError, OSError) as error:
            await self._drop(type(error).__name__)
            raise ProducerLost from error
        answers = iter(outcomes)
        results = [future if isinstance(future, str) else next(answers) for future in futures]
        return await self._judge(results)

    async def close(self) -> None:
        """Close within a deadline."""
        await self._drop("closing")

    async def _ready(self) -> AIOKafkaProducer:
        if self._producer is not None:
            return self._producer
        producer = AIOKafkaProducer(
            acks="all", enable_idempotence=True, linger_ms=2, max_request_size=1_048_576, **self._settings
        )
        try:
            async with asyncio.timeout(SEND_LIMIT_SECONDS):
                await producer.start()
        except (TimeoutError, KafkaError, OSError) as error:
            await _close(producer)
            raise ProducerLost from error
        self._producer = producer
        return producer

    async def _hand_over(self, producer: AIOKafkaProducer, record: Sending) -> "asyncio.Future[object] | str":
        try:
            return await producer.send(  # type: ignore[no-any-return]
                self._namespace + record.topic,
                value=record.value,
                key=record.key.encode(),
                headers=[(name, value.encode()) for name, value in json.loads(record.headers).items()],
            )
        except PERMANENT as error:
            return type(error).__name__

    async def _judge(self, results: Sequence[object]) -> list[str | None]:
        verdicts: list[str | None] = []
        lost: BaseException | None = None
        for result in results:
            if isinstance(result, PERMANENT):
                verdicts.append(type(result).__name__)
            elif isinstance(result, BaseException):
                lost = result
            else:
                verdicts.append(result if isinstance(result, str) else None)
        if lost is not None:
            await self._drop(type(lost).__name__)
            raise ProducerLost from lost
        return verdicts

    async def _drop(self, why: str) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        if why != "closing":
            log.warning("producer.dropped", reason=why)
        await _close(producer)


async def _close(producer: AIOKafkaProducer) -> None:
    with suppress(TimeoutError, KafkaError, OSError, asyncio.CancelledError):
        async with asyncio.timeout(CLOSE_LIMIT_SECONDS):
            await producer.stop()
