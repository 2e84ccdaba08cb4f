"""The relay's producer: idempotent, acks=all, and thrown away at the first sign that it may be stuck.

aiokafka's idempotent producer keeps a batch for ever while brokers are away, and its `stop()` then hangs too; and a
batch that a broker refused leaves a hole in its numbering, after which nothing of that partition is taken any more.
So a send is waited for within a limit, and after any failure the whole producer is dropped, with a deadline on its
close. What the dropped one may still send is a late duplicate, which every consumer's gate ignores.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Protocol

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, ProducerClosed, RecordTooLargeError

log = structlog.get_logger("outbox")
# A record that raises one of these can never be sent as it is. A missing topic or right is not among them: that is
# mended by an administrator, and then the record goes out by itself.
PERMANENT = (MessageSizeTooLargeError, RecordTooLargeError)
SEND_LIMIT_SECONDS = 10.0
CLOSE_LIMIT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Sending:
    """One record to send; an empty value goes out as none, which takes its key off a compacted topic."""

    topic: str
    key: str
    headers: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one record: acknowledged, never possible, or not now; the last two say why."""

    kind: Literal["sent", "never", "later"]
    reason: str = ""


SENT = Verdict("sent")
NO_TOPIC = Verdict("later", "UnknownTopic")
NOT_TRIED = Verdict("later", "NotTried")


class ProducerLost(Exception):
    """No producer could be had; nothing was sent."""


class Producer(Protocol):
    """Sends records."""

    async def send(self, records: Sequence[Sending]) -> list[Verdict]:
        """Send all, in order per key; what is answered `later` may have been sent, and sending it again is safe.

        Raises:
            ProducerLost: no broker answers.
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

    async def send(self, records: Sequence[Sending]) -> list[Verdict]:
        """Hand all records over, then wait for the acknowledgements."""
        producer = await self._ready()
        handed: list[Verdict | asyncio.Future[object]] = []
        try:
            async with asyncio.timeout(SEND_LIMIT_SECONDS):
                missing = await self._missing(producer, {record.topic for record in records})
                for record in records:
                    absent = record.topic in missing
                    handed.append(NO_TOPIC if absent else await self._hand_over(producer, record))
                await _answered(handed)
        except (TimeoutError, KafkaError, OSError) as error:
            await self._drop(type(error).__name__)
        verdicts = [one if isinstance(one, Verdict) else _outcome(one) for one in handed]
        if any(isinstance(one, asyncio.Future) and _outcome(one) is not SENT for one in handed):
            # A batch that failed has taken its numbers: the partition would refuse whatever came after.
            await self._drop("refused")
        return [*verdicts, *[NOT_TRIED] * (len(records) - len(verdicts))]

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

    async def _missing(self, producer: AIOKafkaProducer, topics: set[str]) -> set[str]:
        """Topics that the cluster does not show us: their records wait, and the others go on."""
        cluster, named = producer.client.cluster, {topic: self._namespace + topic for topic in topics}
        unknown = {topic for topic, name in named.items() if cluster.partitions_for_topic(name) is None}
        if unknown:
            for topic in sorted(unknown):
                producer.client.add_topic(named[topic])
            await producer.client.force_metadata_update()
        return {topic for topic in unknown if cluster.partitions_for_topic(named[topic]) is None}

    async def _hand_over(
        self, producer: AIOKafkaProducer, record: Sending
    ) -> "asyncio.Future[object] | Verdict":
        try:
            future: asyncio.Future[object] = await producer.send(
                self._namespace + record.topic,
                value=record.value or None,
                key=record.key.encode(),
                headers=[(name, value.encode()) for name, value in json.loads(record.headers).items()],
            )
        except PERMANENT as error:
            return Verdict("never", type(error).__name__)
        return future

    async def _drop(self, why: str) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        if why != "closing":
            log.warning("producer.dropped", reason=why)
        await _close(producer)


async def _answered(handed: Sequence[object]) -> None:
    waiting = [one for one in handed if isinstance(one, asyncio.Future)]
    if waiting:
        await asyncio.wait(waiting)


def _outcome(future: "asyncio.Future[object]") -> Verdict:
    if not future.done() or future.cancelled():
        future.add_done_callback(_heard)
        return Verdict("later", "NoAnswer")
    error = future.exception()
    if error is None:
        return SENT
    return Verdict("never" if isinstance(error, PERMANENT) else "later", type(error).__name__)


def _heard(future: "asyncio.Future[object]") -> None:
    """Nobody waits for this answer any more; asking for it keeps asyncio from complaining."""
    if not future.cancelled():
        future.exception()


async def _close(producer: AIOKafkaProducer) -> None:
    with suppress(KafkaError, OSError, asyncio.CancelledError):
        try:
            async with asyncio.timeout(CLOSE_LIMIT_SECONDS):
                await producer.stop()
        except TimeoutError:
            await _cut(producer)


async def _cut(producer: AIOKafkaProducer) -> None:
    """`stop` waits for batches that will never be taken; left alone, the sender would try them for ever."""
    sender = producer._sender  # noqa: SLF001 - aiokafka has no other way to give up
    if sender.sender_task is not None:
        sender.sender_task.cancel()
    producer._message_accumulator.fail_all(ProducerClosed())  # noqa: SLF001 - nor for this
    await producer.client.close()
