"""When a consumer last got on with each of its partitions: aiokafka alone says nothing of one that it may not read."""

import time
from collections.abc import Callable, Iterator

from aiokafka import AIOKafkaConsumer, TopicPartition

Stand = tuple[int | None, int | None]
"""Where we read on, and the broker's last answer by its own mark: which time that is does not matter here."""


class Progress:
    """Remembers where each partition stood, and since when."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._stood: dict[TopicPartition, tuple[Stand, float]] = {}

    def silent(self, consumer: AIOKafkaConsumer, seconds: float) -> list[TopicPartition]:
        """Partitions that were neither answered by the broker nor read on from for so long; ask now and then."""
        now, before = self._monotonic(), self._stood
        self._stood = {one: _since(before.get(one), stand, now) for one, stand in _stands(consumer)}
        return [one for one, (_, since) in self._stood.items() if now - since > seconds]


def _since(before: tuple[Stand, float] | None, stand: Stand, now: float) -> tuple[Stand, float]:
    return before if before is not None and before[0] == stand else (stand, now)


def _stands(consumer: AIOKafkaConsumer) -> Iterator[tuple[TopicPartition, Stand]]:
    """Of all assigned partitions, without a round trip."""
    state = consumer._subscription.subscription  # noqa: SLF001 - aiokafka's own way awaits the broker
    if state is None or state.assignment is None:
        return
    for partition in state.assignment.tps:
        at = state.assignment.state_value(partition)
        yield partition, (at.position if at.has_valid_position else None, at.timestamp)
