"""The one place where a subscriber is made: FastStream's defaults lose messages, these settings do not.

`NACK_ON_ERROR`, `earliest`, an explicit group and no automatic topics; our own parser never raises, so nothing that
lies on a topic can stop its partition. An error that is not ours to judge is waited out before it is raised: a
negative acknowledgement seeks back at once, and would otherwise turn an outage into a hot loop.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaConnectionError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage, KafkaMessage

from shared import lenient_records
from shared.broker import Broker, why_away
from shared.events.envelope import Raw
from shared.events.topics import Topic
from shared.machine.incoming import to_incoming
from shared.machine.shell import Shell
from shared.reading_batches import MAX_RECORDS, POLL_MS, next_batch
from shared.reading_offsets import Offsets
from shared.reading_progress import Progress

log = structlog.get_logger("messaging")
MAX_POLL_MS = 300_000
# A topic that comes back, or comes to be ours to read, is looked for no later than this; aiokafka's own is 5 minutes.
METADATA_MS = 20_000
# How long the broker holds a fetch while there is nothing: a record ends it at once, so only idle ones last.
FETCH_WAIT_MS = 1_000
LONGEST_WAIT = 5.0
# A batch costs about the same whatever it holds, so each is followed by a breath in which the next one grows: by a
# short one even when it held few, since many small batches keep the processor, and with it everybody, waiting longer.
MANY_RECORDS = 16
BREATH = 0.05
SHORT_BREATH = 0.03
Handle = Callable[[Sequence[ConsumerRecord]], Awaitable[None]]


class Subscription:
    """What a service reads: one batch subscriber over all its topics, in one group of its own."""

    def __init__(self, broker: Broker, *, service: str, topics: Sequence[Topic], namespace: str = "") -> None:
        self.namespace, self._way = namespace, broker
        lenient_records.install()
        self.broker = _connection(broker, service)
        self._offsets = Offsets()
        self._subscriber = self.broker.subscriber(
            *(namespace + topic.name for topic in topics),
            batch=True,
            listener=self._offsets,
            group_id=f"{namespace}habeas.{service}",
            ack_policy=AckPolicy.NACK_ON_ERROR,
            auto_offset_reset="earliest",
            batch_timeout_ms=POLL_MS,
            max_records=MAX_RECORDS,
            max_poll_interval_ms=MAX_POLL_MS,
            fetch_max_wait_ms=FETCH_WAIT_MS,
        )
        self._subscriber.get_msg = next_batch  # type: ignore[method-assign] # no setting of FastStream's does this
        self._topics, self._progress = tuple(topics), Progress()
        self._started = False

    def feed(self, handle: Handle) -> None:
        """Give every batch to `handle`; call before the broker starts."""
        self._subscriber(handle, parser=self._parse, decoder=_records)

    async def start(self) -> None:
        """Connect and begin to read; may be called again after it failed.

        Raises:
            ConnectionError: the broker is away, or refuses us; then the sentence says what to mend.
        """
        try:
            await self.broker.start()
        except KafkaConnectionError:
            await self.broker.stop()
            raise await why_away(self._way) from None
        self._started = True
        self._offsets.start()

    async def stop(self) -> None:
        """Take nothing in any more, and say how far we got."""
        await self._offsets.stop()
        await self.broker.stop()

    @property
    def assigned(self) -> bool:
        """Whether this member reads any partition now."""
        consumer = self._subscriber.consumer
        return consumer is not None and bool(consumer.assignment())

    @property
    def ended(self) -> bool:
        """Whether the consume loop has died under a service that was started."""
        return self._started and all(task.done() for task in self._subscriber.tasks)

    def lag(self) -> int:
        """Records between our position and the end, over what is assigned, as far as it is known."""
        consumer: AIOKafkaConsumer | None = self._subscriber.consumer
        if consumer is None:
            return 0
        state = consumer._subscription.subscription  # noqa: SLF001 - positions without a round trip
        if state is None or state.assignment is None:
            return 0
        return sum(_behind(consumer, partition, state.assignment) for partition in consumer.assignment())

    def unread(self, seconds: float) -> list[str]:
        """Declared topics that cannot be read for so long now: missing, not ours to read, or without an answer."""
        consumer: AIOKafkaConsumer | None = self._subscriber.consumer
        if consumer is None:
            return []
        known = {
            one.name: bool(consumer.partitions_for_topic(self.namespace + one.name)) for one in self._topics
        }
        silent = {one.topic.removeprefix(self.namespace) for one in self._progress.silent(consumer, seconds)}
        return sorted(silent | {name for name, is_known in known.items() if not is_known})

    async def _parse(self, records: tuple[ConsumerRecord, ...]) -> "FetchedBatch":
        return FetchedBatch(
            self._offsets,
            body=b"",
            headers={},
            content_type=None,
            message_id="",
            correlation_id="",
            raw_message=records,
            consumer=self._subscriber.consumer,
        )


class FetchedBatch(KafkaAckableMessage):
    """Says how far its own records go, and of no others.

    Without naming them, every commit would write the position of every assigned partition: a hundred records on
    the broker for a batch of five. And after a rebalance it would speak for partitions that it never read.
    """

    consumer: AIOKafkaConsumer

    def __init__(self, offsets: Offsets, **fetched: Any) -> None:
        super().__init__(**fetched)
        self._offsets = offsets

    async def ack(self) -> None:
        """These records are handled; a second call does nothing."""
        if not self.committed:
            records: tuple[ConsumerRecord, ...] = self.raw_message
            # Within a partition records come in order, so the last one counts.
            ends = {TopicPartition(one.topic, one.partition): one.offset + 1 for one in records}
            await self._offsets.handled(self.consumer, ends)
        await KafkaMessage.ack(self)


def _behind(consumer: AIOKafkaConsumer, partition: Any, assignment: Any) -> int:
    end = consumer.highwater(partition)
    tracked = assignment.state_value(partition)
    if end is None or tracked is None or not tracked.has_valid_position:
        return 0
    return max(0, int(end) - int(tracked.position))


def _connection(broker: Broker, service: str) -> KafkaBroker:
    """FastStream's side of the broker; it takes one text for one address."""
    return KafkaBroker(
        broker.bootstrap.split(","),
        client_id=f"habeas-{service}",
        security=broker.security(),
        consumer_only=True,
        allow_auto_create_topics=False,
        graceful_timeout=20.0,
        metadata_max_age_ms=METADATA_MS,
        apply_types=False,
        logger=None,
    )


async def _records(message: KafkaAckableMessage) -> Any:
    return message.raw_message


class Intake:
    """Turns fetched records into a shell batch; waits before it gives a batch back."""

    def __init__(
        self,
        shell: Shell[Any],
        took: Callable[[float], None],
        *,
        namespace: str = "",
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._shell = shell
        self._took = took
        self._namespace = namespace
        self._pause = pause
        self._failures = 0

    async def __call__(self, records: Sequence[ConsumerRecord]) -> None:
        began = time.monotonic()
        try:
            await self._shell.handle([to_incoming(self._raw(record)) for record in records])
            self._took(time.monotonic() - began)
            if self._shell.any_parked:
                await self._shell.drain_parked()
        except Exception as error:  # judged by the shell already: what comes out here is to be repeated
            self._failures += 1
            # The exponent is bounded too: an outage of hours would grow it beyond what a float can hold.
            wait = min(0.1 * 2 ** min(self._failures, 10), LONGEST_WAIT) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
            log.warning(
                "batch.repeat", rows=len(records), error_type=type(error).__name__, delay_seconds=wait
            )
            await self._pause(wait)
            raise
        self._failures = 0
        if len(records) < MAX_RECORDS:
            await self._pause(BREATH if len(records) >= MANY_RECORDS else SHORT_BREATH)

    def _raw(self, record: ConsumerRecord) -> Raw:
        return Raw(
            topic=record.topic.removeprefix(self._namespace),
            partition=record.partition,
            offset=record.offset,
            key=record.key,
            headers=tuple(record.headers),
            value=record.value or b"",
        )
