"""The oracle of the fault tests proves nothing unless it sees a loss: with a seeded bug, the same fault loses."""

import pytest

from tests.faults.ears import produced_by
from tests.faults.proxy import Trap
from tests.faults.record import OUT, Tally
from tests.faults.service import MUTATION
from tests.faults.trial import Trial, trial
from tests.faults.world import World
from tests.mutations.seeded import SEEDED
from tests.mutations.seeding import Mutation

pytestmark = [pytest.mark.connected, pytest.mark.durable, pytest.mark.fault]

BUGS = tuple(bug for bug in SEEDED if "real fault test" in bug.layers)
SERVICE = "verification"
FAULT = "kill -9 of a relay before the broker has its records"
SEEN_WITHIN = 20.0
"""Longer than a dead relay's lease: whoever takes over has sent all that it knows of."""
_UNSENT = "SELECT count(*) FROM verification.outbox WHERE published_at IS NULL"
_UNMARK = """
UPDATE verification.outbox SET published_at = NULL WHERE topic = 'dsar.verified' AND request_id = ANY($1::uuid[])"""


@pytest.mark.timeout(240)
async def test_a_relay_that_died_before_the_broker_had_its_records_loses_none(world: World) -> None:
    async with trial(world, FAULT) as found:
        trap = world.kafka.trap(Trap(produced_by(SERVICE), "before", act=world.killing(SERVICE)))
        await found.ask(3)
        await trap.until_sprung()
        await world.restart(SERVICE)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("bug", BUGS, ids=lambda one: one.name)
async def test_the_same_fault_loses_requests_where_there_is_a_bug(
    world: World, bug: Mutation, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is lost on purpose is no figure of a proof.
    monkeypatch.delenv(OUT, raising=False)
    lost = Trial(world, Tally(FAULT))

    with pytest.raises(AssertionError):
        await _same_fault(bug, world, lost)

    assert lost.tally.lost > 0
    assert await world.rows(_UNSENT) == [(0,)]
    await _mended(world, lost)


async def _same_fault(bug: Mutation, world: World, lost: Trial) -> None:
    async with trial(world, FAULT, within=SEEN_WITHIN) as found:
        lost.tally, lost.requesters = found.tally, found.requesters
        await _killed_with(bug, world, found)


async def _killed_with(bug: Mutation, world: World, found: Trial) -> None:
    """The process with the bug dies like the sound one, and a sound one takes over."""
    world.services.kill(SERVICE)
    async with world.twin(SERVICE, **{MUTATION: bug.name}) as buggy:

        async def kill() -> None:
            buggy.kill(SERVICE)

        trap = world.kafka.trap(Trap(produced_by(SERVICE), "before", act=kill))
        await found.ask(3)
        await trap.until_sprung()
    await world.restart(SERVICE)


async def _mended(world: World, lost: Trial) -> None:
    """What was marked and never sent is sent: nothing else was wrong, and whoever comes next finds nobody waiting."""
    async with world.running.installation.admin() as connection:
        await connection.execute(_UNMARK, [one.request_id for one in lost.requesters])
    await lost.ends_well(60.0)
