"""How far a consumer got, committed a little later and together (ADR 0054).

What was handled and is not committed yet comes once more after a death: the gate and the commands' ids know it. So a
commit for each batch would cost every message a round trip, and the broker an append, and save nobody anything.
"""

import asyncio
from collections.abc import Mapping

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from shared.background import Loop

log = structlog.get_logger("messaging")
COMMIT_AFTER = 1.0
"""Seconds from the first batch that is not committed: what came meanwhile is committed with it."""
RETRY_SECONDS = 5.0
LAST_COMMIT_SECONDS = 2.0


class Offsets(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """Remembers what was handled; commits it now and then, when partitions go, and in the end."""

    def __init__(self) -> None:
        self._consumer: AIOKafkaConsumer | None = None
        self._handled: dict[TopicPartition, int] = {}
        self._stopping = False
        self._due: asyncio.TimerHandle | None = None
        self._loop = Loop("offsets", self._turn, poll_seconds=RETRY_SECONDS)

    def start(self) -> None:
        """Commit from now on; call once."""
        self._loop.start()

    async def stop(self) -> None:
        """Commit what is left, if the broker answers in time: else it is read again.

        A batch that is still at work then commits for itself once it is handled.
        """
        self._stopping = True
        if self._due is not None:
            self._due.cancel()
        await self._loop.stop(within=LAST_COMMIT_SECONDS)
        await self._commit_in_time()

    async def handled(self, consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
        """These are the next offsets to read; what is another member's by now is left to that one."""
        ours = consumer.assignment()
        self._consumer = consumer
        self._handled.update({one: offset for one, offset in offsets.items() if one in ours})
        if self._stopping:
            await self._commit_in_time()
        elif self._due is None:
            self._due = asyncio.get_running_loop().call_later(COMMIT_AFTER, self._wake)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Tell the next member; after that we do not speak for these any more."""
        await self._commit_in_time()
        for one in revoked:
            self._handled.pop(one, None)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Nothing to do: where to read on is the broker's to say."""

    def _wake(self) -> None:
        self._due = None
        self._loop.wakeup.set()

    async def _turn(self) -> bool:
        try:
            await self._commit()
        except KafkaError as error:
            log.warning("offsets.not_committed", error_type=type(error).__name__)
        return False

    async def _commit_in_time(self) -> None:
        try:
            async with asyncio.timeout(LAST_COMMIT_SECONDS):
                await self._turn()
        except TimeoutError:
            log.warning("offsets.not_committed", error_type="TimeoutError")

    async def _commit(self) -> None:
        if self._consumer is None or not self._handled:
            return
        ours, handled = self._consumer.assignment(), self._handled
        due = {one: offset for one, offset in handled.items() if one in ours}
        if due:
            await self._consumer.commit(due)
        # What was handled while the broker answered waits for the next turn.
        self._handled = {one: offset for one, offset in self._handled.items() if due.get(one) != offset}
