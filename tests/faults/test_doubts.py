"""A call is in doubt, and meanwhile the request is taken back or held, or the person signs up again."""

import asyncio
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest

from deploy.demo.cascadia.before import Where
from deploy.demo.cascadia.people import Person
from shared.events.commands import PlaceHold, ReleaseHold
from shared.events.fulfillment import RequestFulfilled
from tests.faults.connected import CRM_DELETION, contact_of, crm_of, locked, signs_up_again
from tests.faults.ears import commit_of
from tests.faults.proxy import Trap
from tests.faults.trial import Trial, reached, trial
from tests.faults.world import World
from tests.support.eventually import eventually_async
from tests.support.requester import Requester
from tests.support.town import has_everything, leaves_nothing

pytestmark = [pytest.mark.connected, pytest.mark.durable, pytest.mark.fault]

When = Literal["before", "after"]
Rows = dict[Where, dict[str, Any]]
CRM_CALL = (
    "SELECT state, attempts FROM fulfillment.tasks WHERE request_id = $1 AND key = 'act:cascadia-crm:delete'"
)
TAKEN_BACK = "SELECT body::jsonb ->> 'withdrawn_at' IS NOT NULL FROM fulfillment.cases WHERE request_id = $1"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("commit", ["before", "after"])
async def test_a_call_in_doubt_when_its_request_is_withdrawn_is_settled_and_not_sent_again(
    world: World, commit: When
) -> None:
    async with trial(world, f"withdrawn in doubt, cut {commit} the commit") as found:
        asked, rows = await _in_doubt(world, found, commit)

        await asked.withdraw()
        await eventually_async(lambda: _is_taken_back(world, asked.request_id))
        await world.systems.on()

        assert (await asked.closed(within=100)).resolution == "withdrawn"
        now = await _rows(world, asked.person)
        assert _of("dms", now) == _of("dms", rows)
        assert (_of("crm", now) == _of("crm", rows)) is (commit == "before")
        told = world.running.tape.find(asked.request_id, RequestFulfilled)
        assert told is not None
        outcomes = {one.system: one.outcome for one in told.systems}
        assert outcomes["cascadia-crm"] == {"before": "canceled", "after": "done"}[commit]
        assert outcomes["cascadia-dms"] == "canceled"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("commit", ["before", "after"])
async def test_a_call_in_doubt_when_a_hold_is_placed_is_looked_at_and_not_sent_again_before_its_release(
    world: World, commit: When
) -> None:
    running, hold = world.running, PlaceHold(hold_id=uuid4(), actor="counsel", reason="litigation")
    async with trial(world, f"held in doubt, cut {commit} the commit") as found:
        asked, rows = await _in_doubt(world, found, commit)
        assert await running.command(asked.request_id, hold) == "accepted"
        _, tried = await _crm_call(world, asked.request_id)
        await world.systems.on()

        await eventually_async(lambda: _looked_at(world, asked.request_id, commit, tried), within=60)
        now = await _rows(world, asked.person)
        assert _of("dms", now) == _of("dms", rows)
        assert (_of("crm", now) == _of("crm", rows)) is (commit == "before")
        release = ReleaseHold(hold_id=hold.hold_id, actor="counsel")
        assert await running.command(asked.request_id, release) == "accepted"
        assert (await asked.closed(within=100)).resolution == "partial"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("number", [pytest.param("new", marks=pytest.mark.long), "same"])
async def test_who_signs_up_again_while_a_deletion_waits_for_its_answer_keeps_the_new_row(
    world: World, number: str
) -> None:
    town, hang = world.running.town, asyncio.Event()
    async with (
        trial(world, f"timeout after the effect, signs up again, {number} id") as found,
        crm_of(world) as crm,
    ):
        trap = world.systems.trap(Trap(commit_of(CRM_DELETION), "after", act=hang.wait))
        old = await contact_of(world, town.whoever(leaves_nothing))
        asked = await found.ask_one("delete", wanted=leaves_nothing)
        await trap.until_sprung()
        new = await signs_up_again(crm, asked.person.email, old if number == "same" else None)

        assert (await asked.closed(within=100)).resolution == "complete"
        hang.set()
        assert await crm.fetchval("SELECT count(*) FROM contacts WHERE id = $1", new) == 1
        # The audit of all trials together knows of no row that came later.
        await crm.execute("DELETE FROM contacts WHERE id = $1", new)
    assert reached((await town.audit()).rows_left(asked.person)) == []


async def _in_doubt(world: World, found: Trial, commit: When) -> tuple[Requester, Rows]:
    """A request whose deletion in one system is in doubt, that system being away, and none in the other begun."""
    before = await _rows(world, world.running.town.whoever(has_everything))
    trap = world.systems.trap(Trap(commit_of(CRM_DELETION), commit, act=world.systems.off))
    # The other one cannot even be searched before: how fast it is must not matter.
    async with locked(world, "dms", "customers"):
        asked = await found.ask_one("delete", wanted=has_everything)
        await trap.until_sprung()

    async def doubted() -> bool:
        state, _ = await _crm_call(world, asked.request_id)
        return state == "ambiguous"

    await eventually_async(doubted, within=30)
    return asked, before


async def _looked_at(world: World, request_id: UUID, commit: When, tried: int) -> bool:
    """Whether the call in doubt was settled, or looked at and found to be still to do."""
    state, attempts = await _crm_call(world, request_id)
    return state == {"before": "queued", "after": "done"}[commit] and attempts > tried


async def _crm_call(world: World, request_id: UUID) -> tuple[str, int]:
    async with world.running.installation.admin() as admin:
        row = await admin.fetchrow(CRM_CALL, request_id)
    return row["state"], row["attempts"]


async def _is_taken_back(world: World, request_id: UUID) -> bool:
    async with world.running.installation.admin() as admin:
        return bool(await admin.fetchval(TAKEN_BACK, request_id))


async def _rows(world: World, person: Person) -> Rows:
    """The person's rows in the two systems that stand behind the proxy."""
    rows = await world.running.town.rows_of(person)
    return {where: row for where, row in rows.items() if where[0] in {"crm", "dms"}}


def _of(system: str, rows: Rows) -> Rows:
    return {where: row for where, row in rows.items() if where[0] == system}
