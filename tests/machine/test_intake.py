"""A batch that cannot be taken now is given back after a wait that grows to a few seconds and stays there."""

from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from shared.events.envelope import Unreadable
from shared.machine.decision import Message
from shared.messaging import BREATH, LONGEST_WAIT, MANY_RECORDS, SHORT_BREATH, Intake
from shared.reading_batches import MAX_RECORDS


class Away:
    """A shell whose database is away, at the given step."""

    def __init__(self, step: str) -> None:
        self.step = step
        self.any_parked = True
        self.seen: list[Sequence[Message | Unreadable]] = []

    async def handle(self, incoming: Sequence[Message | Unreadable]) -> list[Any]:
        self.seen.append(incoming)
        if self.step == "handle":
            raise ConnectionRefusedError
        return []

    async def drain_parked(self) -> int:
        if self.step == "drain":
            raise ConnectionRefusedError
        return 0


def a_record() -> ConsumerRecord[bytes | None, bytes | None]:
    return ConsumerRecord(
        topic="t.dsar.received",
        partition=3,
        offset=7,
        timestamp=0,
        timestamp_type=0,
        key=None,
        value=None,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=(("ce_id", None),),
    )


class Waits(list[float]):
    """How long was waited, without waiting.

    Handed in, not put in the place of `asyncio.sleep`: the session's other worlds sleep on this loop too.
    """

    async def pause(self, seconds: float) -> None:
        self.append(seconds)


def an_intake(shell: Away, waits: Waits) -> Intake:
    return Intake(shell, lambda _: None, pause=waits.pause)  # type: ignore[arg-type]


@pytest.mark.parametrize("step", ["handle", "drain"])
async def test_every_batch_that_is_given_back_was_waited_for_however_long_the_outage(step: str) -> None:
    waits = Waits()
    intake = an_intake(Away(step), waits)

    for _ in range(1200):
        with pytest.raises(ConnectionRefusedError):
            await intake([a_record()])

    assert len(waits) == 1200
    assert 0.05 < waits[0] < 0.5
    assert all(LONGEST_WAIT / 2 <= wait <= LONGEST_WAIT for wait in waits[10:])


async def test_a_batch_that_went_well_lets_the_next_trouble_start_small() -> None:
    shell, waits = Away("handle"), Waits()
    intake = an_intake(shell, waits)
    for _ in range(8):
        with pytest.raises(ConnectionRefusedError):
            await intake([a_record()])

    shell.step = "none"
    await intake([a_record()])
    shell.step = "handle"
    with pytest.raises(ConnectionRefusedError):
        await intake([a_record()])

    assert waits[-1] < 0.5


async def test_a_batch_gives_the_next_one_time_to_gather_and_a_full_one_does_not() -> None:
    waits = Waits()
    intake = an_intake(Away("none"), waits)

    for number in (1, MANY_RECORDS - 1, MANY_RECORDS, MAX_RECORDS - 1, MAX_RECORDS):
        await intake([a_record()] * number)

    assert waits == [SHORT_BREATH, SHORT_BREATH, BREATH, BREATH]


async def test_a_record_without_key_value_and_header_values_is_handed_on_as_it_lies() -> None:
    shell = Away("none")

    await Intake(shell, lambda _: None, namespace="t.")([a_record()])  # type: ignore[arg-type]

    ((item,),) = shell.seen
    assert isinstance(item, Unreadable)
    assert (item.raw.topic, item.raw.partition, item.raw.offset, item.raw.value) == (
        "dsar.received",
        3,
        7,
        b"",
    )
