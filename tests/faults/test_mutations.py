"""The judge of the fault tests proves nothing unless it sees harm: with a seeded bug, the same fault does some."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from deploy.demo.processes import Services
from tests.faults.connected import CRM_DELETION, contact_of, crm_of, signs_up_again
from tests.faults.ears import commit_of, produced_by
from tests.faults.proxy import Trap
from tests.faults.record import OUT, Tally
from tests.faults.service import MUTATION
from tests.faults.trial import Trial, trial
from tests.faults.world import World
from tests.mutations.seeded import SEEDED
from tests.support.town import leaves_nothing

pytestmark = [pytest.mark.connected, pytest.mark.durable, pytest.mark.fault]

LOSES = "the relay marks before the acknowledgement"
DOES_TWICE = "the cut-off is dropped"
BUGS = tuple(bug for bug in SEEDED if bug.name in {LOSES, DOES_TWICE})
DIES_UNSENT = "kill -9 of a relay before the broker has its records"
COMES_BACK = "timeout after the effect, signs up again"
SEEN_WITHIN = 20.0
"""Longer than a dead relay's lease: whoever takes over has sent all that it knows of."""
_UNSENT = "SELECT count(*) FROM verification.outbox WHERE published_at IS NULL"
_UNMARK = """
UPDATE verification.outbox SET published_at = NULL WHERE topic = 'dsar.verified' AND request_id = ANY($1::uuid[])"""
_FORGET = "DELETE FROM ledger.effects WHERE $1 = ANY(row_keys)"


@pytest.mark.timeout(240)
async def test_a_relay_that_died_before_the_broker_had_its_records_loses_none(world: World) -> None:
    async with trial(world, DIES_UNSENT) as found:
        trap = world.kafka.trap(
            Trap(produced_by("verification"), "before", act=world.killing("verification"))
        )
        await found.ask(3)
        await trap.until_sprung()
        await world.restart("verification")


@pytest.mark.timeout(240)
async def test_the_same_fault_loses_requests_where_there_is_a_bug(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is lost on purpose is no figure of a proof.
    monkeypatch.delenv(OUT, raising=False)
    judged = Trial(world, Tally(DIES_UNSENT))

    with pytest.raises(AssertionError):
        await _killed_with_the_bug(world, judged)

    assert judged.tally.lost > 0
    assert await world.rows(_UNSENT) == [(0,)]
    await _mended(world, judged)


@pytest.mark.timeout(240)
async def test_who_signs_up_again_is_deleted_twice_where_the_bound_of_the_deletion_was_dropped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The sound service is asked the same in test_doubts.py, and keeps the new row.
    monkeypatch.delenv(OUT, raising=False)
    judged = Trial(world, Tally(COMES_BACK))
    async with crm_of(world) as crm:
        contact = await contact_of(world, world.running.town.whoever(leaves_nothing))

        with pytest.raises(AssertionError):
            await _back_meanwhile(world, judged, crm, contact)

        assert judged.tally.twice > 0
        assert judged.tally.lost == 0
        assert await crm.fetchval("SELECT count(*) FROM contacts WHERE id = $1", contact) == 0
        # Whoever comes next finds a ledger without what was done on purpose.
        assert await crm.execute(_FORGET, str(contact)) != "DELETE 0"


async def _killed_with_the_bug(world: World, judged: Trial) -> None:
    """The process with the bug dies like the sound one, and a sound one takes over."""
    async with trial(world, DIES_UNSENT, within=SEEN_WITHIN) as found:
        judged.tally, judged.requesters = found.tally, found.requesters
        async with _buggy(world, "verification", LOSES) as buggy:

            async def kill() -> None:
                buggy.kill("verification")

            trap = world.kafka.trap(Trap(produced_by("verification"), "before", act=kill))
            await found.ask(3)
            await trap.until_sprung()


async def _back_meanwhile(world: World, judged: Trial, crm: asyncpg.Pool, contact: int) -> None:
    """A deletion is committed and its answer hangs; the person's id is given out again before it is looked at."""
    hang = asyncio.Event()
    async with (
        trial(world, COMES_BACK) as found,
        _buggy(world, "fulfillment", DOES_TWICE),
    ):
        judged.tally = found.tally
        trap = world.systems.trap(Trap(commit_of(CRM_DELETION), "after", act=hang.wait))
        asked = await found.ask_one("delete", wanted=leaves_nothing)
        await trap.until_sprung()
        await signs_up_again(crm, asked.person.email, contact)
        await asked.closed(within=100)
        hang.set()


@asynccontextmanager
async def _buggy(world: World, service: str, bug: str) -> AsyncIterator[Services]:
    """Instead of a sound process of a service, one with a seeded bug, until the end of the block."""
    world.services.kill(service)
    async with world.twin(service, **{MUTATION: bug}) as buggy:
        yield buggy
    await world.restart(service)


async def _mended(world: World, judged: Trial) -> None:
    """What was marked and never sent is sent: nothing else was wrong, and whoever comes next finds nobody waiting."""
    async with world.running.installation.admin() as connection:
        await connection.execute(_UNMARK, [one.request_id for one in judged.requesters])
    await judged.ends_well(60.0)
