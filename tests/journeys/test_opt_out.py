"""An opt-out of sale and sharing: done in every list, without asking who it is."""

import pytest

from deploy.demo.plan import Via
from shared.events.verification import VerificationConcluded
from tests.support.proven import assert_told
from tests.support.requester import ask, read_answer
from tests.support.running import Running
from tests.support.town import has_everything

pytestmark = pytest.mark.connected


@pytest.mark.parametrize("via", ["http", "kafka"])
async def test_an_opt_out_is_done_in_every_list_without_any_proof(running: Running, via: Via) -> None:
    person = running.town.somebody(has_everything)
    assert (await running.town.audit()).not_opted_out(person)

    requester = await ask(running, person, "opt_out", via=via, proof="none")
    closed = await requester.closed()

    assert (closed.resolution, closed.in_time) == ("complete", True)
    assert not (await running.town.audit()).not_opted_out(person)
    verified = running.tape.find(requester.request_id, VerificationConcluded)
    assert verified is not None
    assert verified.conclusion == "not_needed"
    subjects = [mail.subject for mail in running.mailbox.about(requester.request_id)]
    assert subjects == ["Our answer to your privacy request (Cascadia Motors)"]
    assert "Opt-out request honored: your opt-out is processed." in await read_answer(requester)
    await running.town.unharmed()
    await assert_told(requester)
