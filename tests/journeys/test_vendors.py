"""Vendors on the real stack, each as it behaves: in time, late, silent, unwilling, mistaken, away, reading twice.

They are vendors of a business of their own, so that no other journey has to wait for them.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.demo.vendor_words import Directive, VendorAtHand
from shared.events.commands import CompleteTask
from shared.events.fulfillment import RequestFulfilled, TaskNeedsPerson
from shared.signing import KeyRing
from tests.support.proven import assert_told
from tests.support.requester import Requester, ask
from tests.support.running import Running
from tests.support.tape import Taped
from tests.support.vendor_business import ADS, POST, VENDORS_OWN

pytestmark = pytest.mark.connected
UNTIL_A_REMINDER = timedelta(days=3, minutes=1)
FACTS = "Its office closed in May, and nobody answers there any more."


@pytest.fixture
async def post(running: Running) -> AsyncIterator[VendorAtHand]:
    """A contractor, which is told of deletions."""
    async with VendorAtHand(running.settings, POST, running.clock, group=False) as found:
        yield found


@pytest.fixture
async def ads(running: Running) -> AsyncIterator[VendorAtHand]:
    """A third party that data is shared with, which is told of deletions and opt-outs."""
    async with VendorAtHand(running.settings, ADS, running.clock, group=False) as found:
        yield found


async def asks(running: Running, right: str = "delete") -> Requester:
    return await ask(running, running.town.somebody(), right, business=VENDORS_OWN)


async def answered(running: Running, about: Directive, said: UUID) -> str:
    """What fulfillment said to a vendor's word."""

    def answer() -> Taped | None:
        words = (one for one in running.tape.about(about.request_id) if ".command-" in one.kind)
        return next((one for one in words if one.body["command_id"] == str(said)), None)

    found: Taped = await running.tape.until(answer, what="an answer to a vendor's word")
    return str(found.body.get("reason", "accepted"))


async def does_it(running: Running, vendor: VendorAtHand, about: Directive) -> None:
    for said in (await vendor.received(about), await vendor.completed(about)):
        assert await answered(running, about, said) == "accepted"


async def ended(requester: Requester) -> dict[str, tuple[str, str | None]]:
    """By vendor what the answer says of it."""
    await requester.closed()
    fulfilled = requester.running.tape.find(requester.request_id, RequestFulfilled)
    assert fulfilled is not None
    await assert_told(requester)
    return {one.vendor: (one.outcome, one.facts) for one in fulfilled.vendors}


async def test_an_opt_out_goes_to_whom_data_is_shared_with_alone_and_the_answer_says_so(
    running: Running, ads: VendorAtHand
) -> None:
    requester = await asks(running, "opt_out")

    await does_it(running, ads, await ads.hears(requester.request_id))

    assert await ended(requester) == {ADS: ("done", None)}


async def test_who_answers_only_after_a_reminder_has_answered(
    running: Running, post: VendorAtHand, ads: VendorAtHand
) -> None:
    requester = await asks(running)
    await does_it(running, ads, await ads.hears(requester.request_id))
    first = await post.hears(requester.request_id)

    running.clock.advance(UNTIL_A_REMINDER)
    reminder = await post.hears(requester.request_id, 2)
    await does_it(running, post, reminder)

    assert reminder.id == first.id
    assert await ended(requester) == {ADS: ("done", None), POST: ("done", None)}


async def test_who_is_silent_is_a_persons_task_and_the_answer_tells_the_facts(
    running: Running, post: VendorAtHand, ads: VendorAtHand
) -> None:
    requester = await asks(running)
    await does_it(running, ads, await ads.hears(requester.request_id))
    await post.hears(requester.request_id)
    for message in (2, 3):
        running.clock.advance(UNTIL_A_REMINDER)
        await post.hears(requester.request_id, message)
    running.clock.advance(UNTIL_A_REMINDER)

    needs = await running.tape.wait(requester.request_id, TaskNeedsPerson)
    assert (needs.system, needs.kind) == (POST, "unanswered")
    await by_person(running, requester, needs.task, "impossible")

    assert await ended(requester) == {ADS: ("done", None), POST: ("impossible", FACTS)}
    await told_in_the_answer(requester, "Post House: it proved impossible.")


async def test_who_refuses_is_a_persons_task_at_once_and_what_it_says_after_the_decision_is_late(
    running: Running, post: VendorAtHand, ads: VendorAtHand
) -> None:
    requester = await asks(running)
    others, about = await ads.hears(requester.request_id), await post.hears(requester.request_id)
    await post.received(about)
    await post.refuses(about, "disproportionate")

    needs = await running.tape.wait(requester.request_id, TaskNeedsPerson)
    assert (needs.system, needs.kind) == (POST, "refused")
    await by_person(running, requester, needs.task, "disproportionate")
    for said in (await post.completed(about), await post.refuses(about, "disproportionate")):
        assert await answered(running, about, said) == "late"
    await does_it(running, ads, others)

    assert await ended(requester) == {ADS: ("done", None), POST: ("disproportionate", FACTS)}
    await told_in_the_answer(requester, "Post House: it would take a disproportionate effort.")


async def test_what_a_vendor_may_not_say_is_refused_with_its_reason_and_moves_nothing(
    running: Running, post: VendorAtHand, ads: VendorAtHand
) -> None:
    requester = await asks(running)
    others, about = await ads.hears(requester.request_id), await post.hears(requester.request_id)
    unknown = Directive(about.request_id, uuid4(), 1)

    async def said(word: UUID) -> str:
        return await answered(running, about, word)

    assert await said(await post.received(about, signs=KeyRing.generate())) == "signature_invalid"
    assert await said(await post.received(about, source=f"vendor/{ADS}")) == "another_vendor"
    assert await said(await post.received(others)) == "another_vendors_directive"
    assert await said(await post.received(unknown)) == "unknown_directive"
    assert await said(await post.completed(about)) == "out_of_order"
    await does_it(running, post, about)
    assert await said(await post.received(about)) == "already_settled"
    assert running.tape.find(requester.request_id, RequestFulfilled) is None

    await does_it(running, ads, others)
    assert await ended(requester) == {ADS: ("done", None), POST: ("done", None)}
    assert await said(await post.completed(about)) == "already_ended"


async def test_who_was_away_for_a_week_finds_its_directive_and_who_reads_it_twice_does_no_harm(
    running: Running, ads: VendorAtHand
) -> None:
    requester = await asks(running, "opt_out")
    await ads.hears(requester.request_id)
    running.clock.advance(timedelta(days=7))

    async with VendorAtHand(running.settings, ADS, running.clock, group=False) as back:
        found = await back.hears(requester.request_id)
        await does_it(running, back, found)
        assert await ended(requester) == {ADS: ("done", None)}
    async with VendorAtHand(running.settings, ADS, running.clock, group=False) as lost:
        again = await lost.hears(requester.request_id)
        assert await answered(running, again, await lost.received(again)) == "already_ended"

    assert again == found


async def by_person(running: Running, requester: Requester, task: str, outcome: Any) -> None:
    word = CompleteTask(task=task, outcome=outcome, actor="desk", reason=FACTS)
    assert await running.command(requester.request_id, word) == "accepted"


async def told_in_the_answer(requester: Requester, words: str) -> None:
    mail = await requester.running.mailbox.wait(requester.request_id, "answer")
    assert f"{words} {FACTS}" in " ".join(mail.text.split())
