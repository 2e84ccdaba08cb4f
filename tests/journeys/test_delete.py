"""A deletion, from the form to the certificate, seen by the business's own auditor."""

import pytest

from deploy.demo.cascadia.places import SYSTEMS
from deploy.demo.plan import Via
from shared.events.verification import VerificationConcluded
from tests.support.proven import assert_told
from tests.support.requester import ask, read_answer
from tests.support.running import Running
from tests.support.town import has_everything, leaves_nothing

pytestmark = pytest.mark.connected


@pytest.mark.parametrize("via", ["http", "kafka"])
async def test_a_deletion_leaves_only_the_sale_that_the_law_keeps(running: Running, via: Via) -> None:
    person = running.town.somebody(has_everything)

    requester = await ask(running, person, "delete", via=via)
    closed = await requester.closed()

    assert (closed.resolution, closed.in_time) == ("partial", True)
    audit = await running.town.audit()
    assert audit.rows_left(person) == ()
    assert audit.retained_only_under_exemption(person)
    assert audit.retained(person) == 1
    await running.town.unharmed()
    certificate = await assert_told(requester)
    assert {one.system for one in certificate.systems} == set(SYSTEMS.values())
    mail = await running.mailbox.wait(requester.request_id, "answer")
    assert mail.to == person.email
    told = await read_answer(requester)
    for words in (
        "except for the part named below",
        "to comply with a legal obligation",
        "stop selling and sharing",
    ):
        assert words in told


@pytest.mark.parametrize("via", ["http", "kafka"])
async def test_who_has_no_account_proves_a_deletion_by_the_code_in_the_mail(
    running: Running, via: Via
) -> None:
    person = running.town.somebody(leaves_nothing)

    requester = await ask(running, person, "delete", via=via, proof="code")
    await requester.prove()
    closed = await requester.closed()

    assert closed.resolution == "complete"
    verified = running.tape.find(requester.request_id, VerificationConcluded)
    assert verified is not None
    assert (verified.conclusion, verified.method) == ("verified", "email_code")
    assert "We have deleted your personal information from our systems" in await read_answer(requester)
    assert (await running.town.audit()).rows_left(person) == ()
    await running.town.unharmed()
    await assert_told(requester)


async def test_a_name_and_a_number_that_were_only_claimed_lead_to_nobodys_data(running: Running) -> None:
    person = running.town.stranger()

    requester = await ask(running, person, "delete")
    closed = await requester.closed()

    assert closed.resolution == "nothing_found"
    assert "found none, so there was nothing to delete" in await read_answer(requester)
    await running.town.unharmed()
    await assert_told(requester)
