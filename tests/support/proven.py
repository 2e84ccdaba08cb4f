"""Whether a closed request tells its whole story: its events in order, and a certificate that proves them."""

from collections import defaultdict
from collections.abc import Sequence

import httpx2

from shared.events.deadline import RequestClosed
from shared.events.fulfillment import FindingAdded, RequestFulfilled
from shared.events.intake import NoticeSent, RequestReceived
from shared.events.message import Body
from shared.events.verification import VerificationConcluded
from shared.evidence import Certificate, build_payload, check_events, evidence_digest, verify_certificate
from shared.keyfiles import KeyFiles
from tests.support.eventually import eventually_async
from tests.support.requester import Requester
from tests.support.tape import LIFECYCLE_TOPICS, Taped

STEPS: tuple[type[Body], ...] = (RequestReceived, VerificationConcluded, RequestFulfilled, RequestClosed)
# The task that signs may have been killed with its service.
A_LEASE = 120
ANSWERS = {"answer", "denial", "withdrawal"}


async def assert_told(requester: Requester) -> Certificate:
    """Everything that was said about a closed request hangs together; its certificate."""
    told = requester.running.tape.about(requester.request_id)
    assert_gap_free(told)
    assert_in_order(told)
    assert len(answers(told)) == 1
    return await certified(requester, told)


def assert_gap_free(told: Sequence[Taped]) -> None:
    """On each topic the request's events are numbered from one on, in the order in which they lie there."""
    numbers = defaultdict(list)
    for one in told:
        numbers[one.topic].append(int(one.header("ce_sequence")))
    assert dict(numbers) == {topic: list(range(1, len(found) + 1)) for topic, found in numbers.items()}


def assert_in_order(told: Sequence[Taped]) -> None:
    """Received, verified, fulfilled, closed: each once, each after the one before it."""
    lifecycle = sorted((one for one in told if one.topic in LIFECYCLE_TOPICS), key=_time)
    expected = [kind.declared.ce_type for kind in STEPS]
    found = [one.kind for one in lifecycle if one.kind in expected]
    assert found == [kind for kind in expected if kind in found]
    assert {expected[0], *expected[2:]} <= set(found)
    assert lifecycle[-1].kind == expected[-1]


def answers(told: Sequence[Taped]) -> set[str]:
    """The ids of the final notices: one, however often its mail was sent."""
    sent = NoticeSent.declared.ce_type
    return {one.body["notice_id"] for one in told if one.kind == sent and one.body["kind"] in ANSWERS}


async def certified(requester: Requester, told: Sequence[Taped]) -> Certificate:
    """The certificate, checked with the public key alone against the bytes that lie on the topics."""
    running = requester.running
    url = f"{running.services.url('deadline')}/certificates/{requester.request_id}"

    async def look() -> httpx2.Response:
        answer = await running.http.get(url)
        assert answer.status_code == httpx2.codes.OK
        return answer

    public = KeyFiles(running.settings.keys).evidence_public()
    found = verify_certificate((await eventually_async(look, within=A_LEASE)).text, public)
    assert isinstance(found, Certificate)
    assert check_events(found, {one.id: one.value for one in told}).agree
    named = {event.id for event in found.events}
    closings = [one for one in told if one.kind == RequestClosed.declared.ce_type]
    # What is found after the end is in addenda of their own.
    after = {one.id for one in told if one.kind == FindingAdded.declared.ce_type} | {
        one.id for one in closings
    }
    assert named == {one.id for one in told if one.topic in LIFECYCLE_TOPICS} - after
    assert evidence_digest(build_payload(found)) == closings[-1].body["evidence_digest"]
    return found


def _time(one: Taped) -> str:
    return one.header("ce_time")
