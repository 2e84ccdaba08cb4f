"""Time passes: who proves nothing is denied in time, and a date moves only when its notice went out before it."""

import asyncio
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from shared.events.commands import ExtendDeadline, PlaceHold, ReleaseHold
from shared.events.deadline import DeadlineApproaching, DeadlineExtended, DeadlineMissed
from shared.events.fulfillment import RequestFulfilled, TasksPlanned
from shared.events.verification import VerificationConcluded
from tests.support.archives import text_of
from tests.support.eventually import eventually_async
from tests.support.proven import assert_told
from tests.support.requester import ask
from tests.support.running import Running
from tests.support.town import has_everything

pytestmark = pytest.mark.connected

VERIFY_BY_PASSES = timedelta(days=36)
# Before open systems extend by themselves, a week before the date, and after that.
NEAR_THE_DATE = timedelta(days=36)
NEARER = timedelta(days=40)
PAST_THE_DATE = timedelta(days=10)
YEARS_PASS = timedelta(days=800)
REASON = "The records lie in an archive that opens next week."


async def test_who_does_not_prove_who_they_are_is_denied_while_there_is_time_to_answer(
    running: Running,
) -> None:
    person = running.town.somebody(has_everything)
    before = await running.town.rows_of(person)
    requester = await ask(running, person, "delete", proof="code")
    await running.mailbox.wait(requester.request_id, "verification_code")

    running.clock.advance(VERIFY_BY_PASSES)
    closed = await requester.closed()

    assert (closed.resolution, closed.in_time) == ("denied", True)
    verified = running.tape.find(requester.request_id, VerificationConcluded)
    assert verified is not None
    assert verified.conclusion == "failed"
    fulfilled = running.tape.find(requester.request_id, RequestFulfilled)
    assert fulfilled is not None
    assert fulfilled.ground == "identity_not_verified"
    assert await running.town.rows_of(person) == before
    mail = await running.mailbox.wait(requester.request_id, "answer")
    assert "could not verify that you are the person" in mail.text
    await assert_told(requester)


async def test_a_copy_that_was_asked_for_without_enough_proof_becomes_a_list_of_categories(
    running: Running,
) -> None:
    person = running.town.somebody(has_everything)
    requester = await ask(running, person, "know_specific", proof="code")
    await requester.prove()

    running.clock.advance(VERIFY_BY_PASSES)
    closed = await requester.closed()

    assert (closed.resolution, closed.in_time) == ("complete", True)
    verified = running.tape.find(requester.request_id, VerificationConcluded)
    assert verified is not None
    assert (verified.conclusion, verified.right) == ("downgraded", "know_categories")
    assert person.email not in text_of(await requester.package_bytes())
    await assert_told(requester)


async def test_an_extension_told_in_time_moves_the_date_once(running: Running) -> None:
    person = running.town.somebody(has_everything)
    requester = await ask(running, person, "delete", proof="code")
    request_id = requester.request_id
    hold = PlaceHold(hold_id=uuid4(), actor="counsel", reason="an archive is away")
    await running.command(request_id, hold)
    await requester.prove()
    await running.tape.wait(request_id, TasksPlanned)
    running.clock.advance(NEAR_THE_DATE)
    await running.tape.wait(request_id, DeadlineApproaching)

    extend = ExtendDeadline(reasons=(REASON,), actor="counsel")
    answers = [await running.command(request_id, extend)]
    extended = await running.tape.wait(request_id, DeadlineExtended)
    answers.append(await running.command(request_id, extend))
    running.clock.advance(PAST_THE_DATE)
    await running.command(request_id, ReleaseHold(hold_id=hold.hold_id, actor="counsel"))
    closed = await requester.closed()

    assert answers == ["accepted", "already_extended"]
    assert (closed.resolution, closed.in_time) == ("partial", True)
    assert extended.reasons == (REASON,)
    assert REASON in " ".join((await running.mailbox.wait(request_id, "extension")).text.split())
    assert running.tape.find(request_id, DeadlineMissed) is None
    assert (await requester.status())["answer_by"] == extended.respond_by.date.isoformat()
    certificate = await assert_told(requester)
    assert certificate.extended_to is not None
    await running.town.unharmed()


async def test_systems_that_are_not_done_extend_by_themselves_and_the_notice_names_them(
    running: Running,
) -> None:
    person = running.town.somebody(has_everything)
    requester = await ask(running, person, "delete", proof="code")
    request_id = requester.request_id
    hold = PlaceHold(hold_id=uuid4(), actor="counsel", reason="an archive is away")
    await running.command(request_id, hold)
    await requester.prove()
    planned = await running.tape.wait(request_id, TasksPlanned)

    running.clock.advance(NEARER)
    extended = await running.tape.wait(request_id, DeadlineExtended)
    running.clock.advance(PAST_THE_DATE)
    await running.command(request_id, ReleaseHold(hold_id=hold.hold_id, actor="counsel"))
    closed = await requester.closed()

    told = " ".join((await running.mailbox.wait(request_id, "extension")).text.split())
    assert closed.in_time
    assert extended.reasons[0] in told
    assert planned.named[0].title in extended.reasons[0]
    assert running.tape.find(request_id, DeadlineMissed) is None


async def test_the_key_and_the_file_of_an_answer_are_gone_when_nobody_may_need_it_any_more(
    running: Running,
) -> None:
    person = running.town.somebody(has_everything)
    requester = await ask(running, person, "know_specific")
    await requester.closed()
    fulfilled = running.tape.find(requester.request_id, RequestFulfilled)
    assert fulfilled is not None
    assert fulfilled.package is not None
    sealed = running.settings.packages_folder / f"{fulfilled.package.package_id}.sealed"
    assert not await running.has_forgotten(requester.request_id)
    assert sealed.exists()

    running.clock.advance(YEARS_PASS)

    await eventually_async(lambda: running.has_forgotten(requester.request_id), within=30)
    # A service remembers an open key for a minute, and looks for forgotten files once an hour, and when it starts.
    await asyncio.to_thread(running.services.stop, "fulfillment")
    await running.start("fulfillment")
    await eventually_async(partial(_is_gone, sealed), within=30)
    assert await requester.shown("closed")


async def _is_gone(file: Path) -> bool:
    return not await asyncio.to_thread(file.exists)
