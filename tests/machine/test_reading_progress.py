"""A partition that may not be read any more looks like one on which nothing happens, but for the broker's answers."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from shared.reading_progress import Progress

READ, SHUT = TopicPartition("dsar.received", 0), TopicPartition("dsar.verified", 0)


class Consumer:
    """As far as it is looked at: what is assigned, where it stands, when the broker last answered."""

    def __init__(self) -> None:
        self.at = {
            one: SimpleNamespace(has_valid_position=True, position=7, timestamp=1000) for one in (READ, SHUT)
        }
        self.assignment: Any = SimpleNamespace(tps=set(self.at), state_value=self.at.__getitem__)
        self._subscription = SimpleNamespace(subscription=SimpleNamespace(assignment=self.assignment))


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.mark.parametrize("sign", ["position", "timestamp"])
def test_a_partition_that_neither_moves_nor_is_answered_is_silent(time: Time, sign: str) -> None:
    consumer, progress = Consumer(), Progress(time)
    assert progress.silent(consumer, 60) == []

    time.now += 61
    setattr(consumer.at[READ], sign, 2000)

    assert progress.silent(consumer, 60) == [SHUT]


def test_a_partition_that_is_answered_again_is_silent_no_longer(time: Time) -> None:
    consumer, progress = Consumer(), Progress(time)
    progress.silent(consumer, 60)
    time.now += 61
    progress.silent(consumer, 60)

    consumer.at[SHUT].timestamp = consumer.at[READ].timestamp = 2000

    assert progress.silent(consumer, 60) == []


def test_a_partition_that_comes_back_is_waited_for_from_then_on(time: Time) -> None:
    consumer, progress = Consumer(), Progress(time)
    consumer.assignment.tps = {READ}
    progress.silent(consumer, 60)
    time.now += 59
    consumer.assignment.tps = {READ, SHUT}
    progress.silent(consumer, 60)

    time.now += 2

    assert progress.silent(consumer, 60) == [READ]
