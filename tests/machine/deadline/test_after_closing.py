"""What happens to a closed request: it is certified, its certificate can be had, its key is destroyed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import FastAPI

from services.deadline.api import certificate_routes
from services.deadline.domain import ADDENDUM, CERTIFICATE, DESTROY_KEY
from services.deadline.handlers import DestroyKey, SignAddendum, SignCertificate
from shared.addendum import Addendum, verify_addendum
from shared.events.fulfillment import FindingAdded
from shared.evidence import (
    Certificate,
    CertificateRefused,
    check_events,
    sign_certificate,
    verify_certificate,
)
from shared.privacy import Claims
from shared.signing import KeyRing
from shared.tasks.work import Again, Claimed, Finished
from shared.vault import KeyDestroyed
from tests.support import facts
from tests.support.domain_driver import REQUEST
from tests.support.memory_certificates import MemoryCertificates
from tests.support.memory_vault import memory_vault
from tests.support.watched import Watched

RING = KeyRing.generate()


class FixedClock:
    def now(self) -> Any:
        return facts.RECEIVED_AT


class Calls:
    """A `calling` that says yes or no, and counts."""

    def __init__(self, *, allowed: bool = True) -> None:
        self.allowed = allowed
        self.made = 0

    async def __call__(self, **_bound: object) -> bool:
        self.made += 1
        return self.allowed


class NoVault:
    """A vault that is away."""

    async def destroy(self, request_ids: Sequence[UUID], reason: str) -> None:
        raise OSError


def _closed() -> Watched:
    watched = Watched()
    watched.hear_in_time()
    watched.hear(facts.verified())
    watched.hear(facts.fulfilled())
    watched.notice("answer")
    watched.pass_until(watched.at(days=60))
    return watched


def _claimed(watched: Watched, key: str, *, settle: bool = False) -> Claimed:
    plan = watched.driver.tasks[key]
    return Claimed(
        task_id=uuid4(),
        request_id=REQUEST,
        key=plan.key,
        handler=plan.handler,
        purpose=plan.purpose,
        body=plan.body,
        epoch=1,
        attempts=1,
        settle=settle,
        urgency=plan.urgency,
    )


async def test_the_certificate_is_what_the_closing_promised_and_verifies_with_the_public_key_alone() -> None:
    watched, certificates = _closed(), MemoryCertificates()

    answer = await SignCertificate(RING, certificates, FixedClock()).run(
        _claimed(watched, CERTIFICATE), Calls()
    )

    [closed], stored = watched.closings, certificates.rows[REQUEST]
    assert answer == Finished("done", {"payload_sha256": closed.evidence_digest})
    assert stored.payload_sha256 == closed.evidence_digest
    found = verify_certificate(stored.jws, RING.public())
    assert isinstance(found, Certificate)
    assert (found.request_id, found.in_time, found.resolution) == (REQUEST, True, "complete")


async def test_the_certificate_agrees_with_the_bytes_on_the_topics() -> None:
    watched, certificates = Watched(), MemoryCertificates()
    bodies = [facts.received(), facts.verified(), facts.fulfilled()]
    told = [watched.messages.event(body, at=watched.driver.now) for body in bodies]
    watched.driver.deliver_all(told)
    watched.notice("answer")
    await SignCertificate(RING, certificates, FixedClock()).run(_claimed(watched, CERTIFICATE), Calls())

    found = verify_certificate(certificates.rows[REQUEST].jws, RING.public())

    assert isinstance(found, Certificate)
    values = {message.id: message.body.model_dump_json().encode() for message in told}
    assert check_events(found, values).agree
    assert check_events(found, {**values, told[1].id: b"{}"}).changed == (told[1].id,)


async def test_signing_again_leaves_the_first_certificate() -> None:
    watched, certificates = _closed(), MemoryCertificates()
    task = _claimed(watched, CERTIFICATE)
    await SignCertificate(RING, certificates, FixedClock()).run(task, Calls())
    first = certificates.rows[REQUEST]

    await SignCertificate(KeyRing.generate(), certificates, FixedClock()).run(task, Calls())

    assert certificates.rows[REQUEST] is first


@pytest.mark.parametrize("settle", [False, True])
async def test_the_key_is_gone_for_good_after_its_task(*, settle: bool) -> None:
    watched, vault = _closed(), memory_vault()
    await vault.create([REQUEST])
    sealed = vault.seal(REQUEST, REQUEST, "claims", Claims(name="Pat").to_bytes())

    answer = await DestroyKey(vault).run(_claimed(watched, DESTROY_KEY, settle=settle), Calls())

    assert answer == Finished("done", {})
    with pytest.raises(KeyDestroyed):
        vault.open(REQUEST, REQUEST, "claims", sealed)


async def test_a_key_that_may_not_be_destroyed_now_is_looked_at_again() -> None:
    answer = await DestroyKey(NoVault()).run(_claimed(_closed(), DESTROY_KEY), Calls(allowed=False))

    assert answer == Again(timedelta(minutes=15), "not_permitted")


async def test_the_intent_is_committed_before_a_vault_that_is_away_is_asked() -> None:
    calls = Calls()

    with pytest.raises(OSError, match=r"^$"):
        await DestroyKey(NoVault()).run(_claimed(_closed(), DESTROY_KEY), calls)

    assert calls.made == 1


async def test_the_certificate_can_be_had_by_the_requests_id() -> None:
    watched, certificates = _closed(), MemoryCertificates()
    await SignCertificate(RING, certificates, FixedClock()).run(_claimed(watched, CERTIFICATE), Calls())

    async with _pages(certificates) as pages:
        found = await pages.get(f"/certificates/{REQUEST}")

    stored = certificates.rows[REQUEST]
    assert (found.status_code, found.text) == (200, stored.jws)
    assert found.headers["content-type"] == "application/jose"
    assert found.headers["habeas-evidence-digest"] == stored.payload_sha256


@pytest.mark.parametrize(("request_id", "status"), [(str(uuid4()), 404), ("no-uuid", 422)])
async def test_a_certificate_that_is_not_there_is_a_plain_answer(request_id: str, status: int) -> None:
    async with _pages(MemoryCertificates()) as pages:
        found = await pages.get(f"/certificates/{request_id}")

    assert found.status_code == status
    if status == 404:
        assert found.headers["content-type"] == "application/problem+json"
        assert found.json()["status"] == 404


def _finding(**more: Any) -> FindingAdded:
    fields = {
        "system": "crm",
        "kind": "came_back",
        "look": "7 days",
        "count": 2,
        "found_at": facts.RECEIVED_AT,
    }
    return FindingAdded.model_validate({**fields, **more})


async def test_a_finding_after_the_closing_is_an_addendum_that_names_certificate_and_event() -> None:
    watched, certificates = _closed(), MemoryCertificates()
    watched.hear(_finding())
    (key,) = (key for key in watched.driver.tasks if key.startswith(ADDENDUM))

    answer = await SignAddendum(RING, certificates, FixedClock()).run(_claimed(watched, key), Calls())

    assert isinstance(answer, Finished)
    async with _pages(certificates) as pages:
        (token,) = (await pages.get(f"/certificates/{REQUEST}/addenda")).json()["addenda"]
    addendum = verify_addendum(token, RING.public())
    assert isinstance(addendum, Addendum)
    assert addendum.certificate_sha256 == watched.closings[0].evidence_digest
    assert (addendum.system, addendum.kind, addendum.look, addendum.count) == (
        "crm",
        "came_back",
        "7 days",
        2,
    )


def test_a_finding_that_comes_before_the_closing_waits_for_it() -> None:
    watched = Watched()
    watched.hear_in_time()
    watched.hear(facts.verified())
    watched.hear(facts.fulfilled())
    watched.hear(_finding(look="1 hour"))
    assert not [key for key in watched.driver.tasks if key.startswith(ADDENDUM)]

    watched.notice("answer")

    assert len([key for key in watched.driver.tasks if key.startswith(ADDENDUM)]) == 1
    assert watched.case.findings == ()


def test_a_certificate_is_no_addendum() -> None:
    assert verify_addendum(sign_certificate(b"{}", RING), RING.public()) == CertificateRefused("type")


def _pages(certificates: MemoryCertificates) -> httpx2.AsyncClient:
    application = FastAPI()
    application.include_router(certificate_routes(certificates))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(application), base_url="http://deadline")
