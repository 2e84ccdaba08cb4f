"""Each of the four services dies as in a power cut, in the middle of forty requests, and is started again."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

import httpx2
import pytest

from deploy.demo.plan import RIGHTS, Proof, Via
from shared.events.deadline import RequestClosed
from shared.events.verification import VerificationConcluded
from shared.tasks.store import LEASE_SECONDS
from tests.support.calls import Calls, calls_of
from tests.support.eventually import eventually_async
from tests.support.installation import Installations
from tests.support.proven import assert_told
from tests.support.requester import Requester, fill_in, send
from tests.support.running import Running, four_services
from tests.support.town import Town

pytestmark = pytest.mark.connected

REQUESTS = 40
SHORT_LEASED = ("-m", "tests.faults.service")
# A dead owner's leases have to run out, and its partitions come back after the group's session timeout.
ALL_CLOSE_WITHIN = 240
T = TypeVar("T")


@pytest.fixture(scope="module")
async def running(installations: Installations, town: Town) -> AsyncIterator[Running]:
    """An installation that nobody else needs, with shorter leases: two deaths in a row cost two of them."""
    async with four_services(await installations.make(), town, program=SHORT_LEASED) as found:
        yield found


@pytest.mark.timeout(420)
async def test_forty_requests_survive_the_death_of_every_service_and_nothing_happens_twice(
    running: Running,
) -> None:
    async with calls_of(running.installation, "intake", "fulfillment") as calls, asyncio.TaskGroup() as group:
        asking = [group.create_task(_asked(running, number)) for number in range(REQUESTS)]
        await _kill_each(running, calls)
    requesters = [task.result() for task in asking]

    await running.tape.until(
        lambda: running.tape.count(RequestClosed) == REQUESTS, within=ALL_CLOSE_WITHIN, what="closing of all"
    )

    closings = [await requester.closed() for requester in requesters]
    assert [closed.in_time for closed in closings] == [True] * REQUESTS
    assert {closed.resolution for closed in closings} <= {"complete", "partial"}
    for requester in requesters:
        await _ended_once(requester)
    await _done_as_asked(running, requesters)
    await running.town.unharmed()


async def _kill_each(running: Running, calls: Calls) -> None:
    """One after another, each while it is at work and most requests are open."""
    tape = running.tape
    moments: dict[str, Callable[[], Awaitable[object]]] = {
        "verification": lambda: tape.until(lambda: tape.count(VerificationConcluded) >= 5),
        "fulfillment": lambda: calls.until("fulfillment", 3),
        # With five systems each, most requests have a task in a dead lease, and no answer until it has run out.
        "intake": lambda: calls.until("intake", 3, within=LEASE_SECONDS + 60),
        "deadline": lambda: tape.until(lambda: tape.count(RequestClosed) > 0),
    }
    async with asyncio.TaskGroup() as restarts:
        for name, moment in moments.items():
            await moment()
            assert tape.count(RequestClosed) < REQUESTS // 2
            running.services.kill(name)
            restarts.create_task(running.start(name))


async def _asked(running: Running, number: int) -> Requester:
    right = RIGHTS[number % len(RIGHTS)]
    via: Via = "http" if number % 2 == 0 else "kafka"
    proof: Proof = (
        "none" if right == "opt_out" else "code" if number % 5 == 0 and right == "delete" else "assertion"
    )
    person, key = running.town.somebody(), f"in-the-middle-of-it-{number}"
    form = fill_in(running, person, right, via=via, proof=proof, key=key)
    requester = await _patiently(lambda: send(running, form))
    if proof == "code":
        await _patiently(requester.prove)
    return requester


async def _patiently(action: Callable[[], Awaitable[T]]) -> T:
    """As a person does it while the site is down: again, until there is an answer."""

    async def attempt() -> tuple[T]:
        try:
            return (await action(),)
        except (httpx2.TransportError, OSError) as away:
            raise AssertionError("intake is away") from away

    return (await eventually_async(attempt, within=60))[0]


async def _ended_once(requester: Requester) -> None:
    """One ending, one closing, one answer, whose mail may come again as the same message."""
    running = requester.running
    kinds = Counter(one.kind for one in running.tape.about(requester.request_id))
    assert kinds["dsar.request.received.v1"] == 1
    assert kinds["dsar.request.fulfilled.v1"] == 1
    assert kinds["dsar.request.closed.v1"] == 1
    mails = running.mailbox.about(requester.request_id)
    assert len({mail.message_id for mail in mails if mail.subject.startswith("Our answer")}) == 1
    await assert_told(requester)


async def _done_as_asked(running: Running, requesters: Sequence[Requester]) -> None:
    audit = await running.town.audit()
    for requester in requesters:
        if requester.right == "delete":
            assert audit.rows_left(requester.person) == ()
            assert audit.retained_only_under_exemption(requester.person)
        if requester.right == "opt_out":
            assert audit.not_opted_out(requester.person) == ()
