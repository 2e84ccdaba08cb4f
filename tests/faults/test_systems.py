"""The connected systems hang, act without an answer, or change meanwhile: what was destroyed was destroyed once."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from bench.pace import pause
from shared.events.commands import PlaceHold, ReleaseHold
from shared.events.verification import VerificationConcluded
from tests.faults.connected import crm_of, locked, signs_up_again
from tests.faults.ears import commit_of
from tests.faults.proxy import Trap
from tests.faults.trial import reached, trial
from tests.faults.world import World
from tests.support.town import has_everything, leaves_nothing

pytestmark = [pytest.mark.connected, pytest.mark.durable, pytest.mark.fault]

HALF_OPEN_SECONDS = 6.0


@pytest.mark.timeout(240)
async def test_systems_behind_a_half_open_connection_are_proved_before_they_act_again(world: World) -> None:
    async with trial(world, "systems half open") as found:
        acted = world.systems.trap(Trap(commit_of("DELETE"), "after", act=_half_open(world)))
        await found.ask(6)
        await acted.until_sprung()
        await pause(HALF_OPEN_SECONDS)
        world.systems.thaw()
        world.systems.cut()


@pytest.mark.timeout(240)
async def test_who_signs_up_again_while_a_deletion_is_tried_again_keeps_the_new_row(world: World) -> None:
    town = world.running.town
    async with trial(world, "adapter fails, the subject signs up again") as found, crm_of(world) as crm:
        trap = world.systems.trap(Trap(commit_of("DELETE"), "before"))
        asked = await found.ask_one("delete", wanted=leaves_nothing)
        await trap.until_sprung()
        new = await signs_up_again(crm, asked.person.email)

        assert (await asked.closed(within=100)).resolution == "complete"
        assert await crm.fetchval("SELECT count(*) FROM contacts WHERE id = $1", new) == 1
        # The audit of all trials together knows of no row that came later.
        await crm.execute("DELETE FROM contacts WHERE id = $1", new)
    assert reached((await town.audit()).rows_left(asked.person)) == []


@pytest.mark.timeout(240)
async def test_what_is_withdrawn_while_its_systems_are_away_is_never_done(world: World) -> None:
    town = world.running.town
    async with trial(world, "withdrawn while queued, systems away") as found:
        await world.systems.off()
        found.inject()
        asked = await found.ask_one("delete", wanted=has_everything)
        before = await town.rows_of(asked.person)
        await world.running.tape.wait(asked.request_id, VerificationConcluded)

        await asked.withdraw()
        await world.systems.on()

        assert (await asked.closed(within=100)).resolution == "withdrawn"
        assert await town.rows_of(asked.person) == before


@pytest.mark.timeout(240)
async def test_a_hold_that_is_placed_during_a_call_lets_that_one_end_and_no_other_begin(world: World) -> None:
    running, go_on = world.running, asyncio.Event()
    hold = PlaceHold(hold_id=uuid4(), actor="counsel", reason="litigation about a sale")
    async with trial(world, "hold placed during a call") as found:
        trap = world.systems.trap(Trap(commit_of("DELETE"), "after", act=go_on.wait, then="deliver"))
        # Another system cannot even be searched before the hold: how fast the others are must not matter.
        async with locked(world, "dms", "customers"):
            asked = await found.ask_one("delete", wanted=has_everything)
            await trap.until_sprung()
            assert await running.command(asked.request_id, hold) == "accepted"
        go_on.set()
        calls = await _calls(world, asked.request_id)
        assert not await _calls_again(world, asked.request_id, calls)
        release = ReleaseHold(hold_id=hold.hold_id, actor="counsel")
        assert await running.command(asked.request_id, release) == "accepted"


def _half_open(world: World) -> Any:
    async def freeze() -> None:
        world.systems.freeze()

    return freeze


async def _calls(world: World, request_id: UUID) -> int:
    """How many tasks of a request have called out."""
    query = "SELECT count(*) FROM fulfillment.tasks WHERE request_id = $1 AND idempotency_key IS NOT NULL"
    async with world.running.installation.admin() as admin:
        return int(await admin.fetchval(query, request_id))


async def _calls_again(world: World, request_id: UUID, known: int) -> bool:
    """Whether another call begins within a few turns of the runner."""
    await pause(3.0)
    return await _calls(world, request_id) > known
