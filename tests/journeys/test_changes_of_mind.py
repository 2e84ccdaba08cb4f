"""Requests that are taken back, asked twice, or held: nothing is destroyed that should not be."""

from uuid import uuid4

import pytest

from deploy.demo.plan import Via
from shared.events.commands import DenyRequest, PlaceHold, ReleaseHold
from shared.events.fulfillment import RequestFulfilled, TasksPlanned
from tests.support.proven import assert_told
from tests.support.requester import Requester, ask, read_answer
from tests.support.running import Running
from tests.support.town import has_everything, leaves_nothing

pytestmark = pytest.mark.connected


@pytest.mark.parametrize("via", ["http", "kafka"])
async def test_a_request_withdrawn_while_its_tasks_wait_destroys_nothing(running: Running, via: Via) -> None:
    person = running.town.somebody(has_everything)
    requester = await ask(running, person, "delete", via=via, proof="code")
    before = await running.town.rows_of(person)
    await _held(requester)
    await requester.prove()
    await running.tape.wait(requester.request_id, TasksPlanned)

    await requester.withdraw()
    closed = await requester.closed()

    assert (closed.resolution, closed.in_time) == ("withdrawn", True)
    assert await running.town.rows_of(person) == before
    told = await read_answer(requester, "withdrawal")
    assert "It has been withdrawn" in told
    assert "We had not changed anything in our own systems by then." in told
    await assert_told(requester)


async def test_a_request_withdrawn_before_any_proof_is_closed_as_withdrawn(running: Running) -> None:
    person = running.town.somebody(leaves_nothing)
    requester = await ask(running, person, "delete", proof="code")
    await running.mailbox.wait(requester.request_id, "verification_code")

    await requester.withdraw()
    closed = await requester.closed()

    assert closed.resolution == "withdrawn"
    assert await requester.shown("closed")
    await assert_told(requester)


async def test_a_request_that_a_person_denies_is_answered_with_the_ground_before_anybody_proved_anything(
    running: Running,
) -> None:
    person = running.town.somebody(leaves_nothing)
    requester = await ask(running, person, "delete", proof="code")
    await running.mailbox.wait(requester.request_id, "verification_code")

    why = "the agency that asked sent no permission"
    await running.command(
        requester.request_id, DenyRequest(ground="not_by_the_consumer", actor="officer", reason=why)
    )

    assert (await requester.closed()).resolution == "denied"
    letter = await running.mailbox.wait(requester.request_id, "answer")
    assert why in " ".join(letter.text.split())
    await assert_told(requester)


async def test_a_second_request_of_the_same_person_for_the_same_is_joined_to_the_first(
    running: Running,
) -> None:
    person = running.town.somebody(leaves_nothing)
    first = await ask(running, person, "delete", proof="code")
    hold = await _held(first)
    await first.prove()
    await running.tape.wait(first.request_id, TasksPlanned)

    second = await ask(running, person, "delete", via="kafka")
    await running.command(first.request_id, ReleaseHold(hold_id=hold.hold_id, actor="counsel"))

    assert (await first.closed()).resolution == "complete"
    assert (await second.closed()).resolution == "duplicate"
    joined = running.tape.find(second.request_id, RequestFulfilled)
    assert joined is not None
    assert joined.duplicate_of == first.request_id
    assert "You had already made the same request" in await read_answer(second)
    assert running.tape.find(second.request_id, TasksPlanned) is None
    assert (await running.town.audit()).rows_left(person) == ()
    await running.town.unharmed()
    await assert_told(first)
    await assert_told(second)


async def test_the_same_form_sent_twice_is_one_request(running: Running) -> None:
    person = running.town.somebody(leaves_nothing)
    first = await ask(running, person, "opt_out", proof="none", key="the-form-of-somebody")

    again = await ask(running, person, "opt_out", proof="none", key="the-form-of-somebody")

    assert (again.request_id, again.secret) == (first.request_id, first.secret)
    await again.closed()
    await assert_told(again)


async def _held(requester: Requester) -> PlaceHold:
    """A duty to keep data holds the destruction back, so that the request stays in its middle."""
    hold = PlaceHold(hold_id=uuid4(), actor="counsel", reason="litigation about a sale")
    assert await requester.running.command(requester.request_id, hold) == "accepted"
    return hold
