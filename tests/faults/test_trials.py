"""A trial that fails spoils no trial after it."""

import asyncio

import pytest

from tests.faults.record import OUT
from tests.faults.trial import trial
from tests.faults.world import World

pytestmark = [pytest.mark.connected, pytest.mark.durable, pytest.mark.fault]


async def test_a_trial_that_fails_while_the_systems_are_away_brings_them_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What fails on purpose is no figure of a proof.
    monkeypatch.delenv(OUT, raising=False)

    with pytest.raises(AssertionError, match="on purpose"):
        await _fails_with_the_systems_away(world)

    _, writer = await asyncio.open_connection("127.0.0.1", world.systems.port)
    writer.close()
    await writer.wait_closed()


async def _fails_with_the_systems_away(world: World) -> None:
    async with trial(world, "a trial that fails"):
        await world.systems.off()
        raise AssertionError("on purpose")
