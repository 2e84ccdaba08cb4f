"""A request to know that a person has to serve: they learn whom it is about, hand over a copy, and it is answered."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from deploy.cli.request_subject import subjects_of
from services.fulfillment.adapters.manual import open_adapter
from services.fulfillment.connected import Connected
from services.fulfillment.connecting import entry_of
from shared.events.commands import CompleteTask, RetryTask
from tests.support.fulfillment_host import FulfillmentHost, fulfillment_host
from tests.support.installation import Installation, Installations
from tests.support.manual import cabinet

pytestmark = pytest.mark.connected
EMAIL = "ada.canary@example.com"
TASK = "act:cabinet:know_specific"


@pytest.fixture
async def bare(installations: Installations) -> Installation:
    return await installations.make(topics=())


@pytest.fixture
async def service(bare: Installation, tmp_path: Path) -> AsyncIterator[FulfillmentHost]:
    system = cabinet(tmp_path, business="cascadia")
    by_hand = Connected(entry_of(system), system.datamap, open_adapter(system))
    async with fulfillment_host(bare, [by_hand]) as opened:
        yield opened


async def told(service: FulfillmentHost, request_id: UUID) -> str:
    """What the journal says that a person has to do."""
    query = "SELECT value FROM outbox WHERE request_id = $1 AND headers::text LIKE '%task-needs-person%'"
    (row,) = await service.resources.pool.fetch(query, request_id)
    return str(json.loads(row["value"])["reason"])


async def test_what_a_person_hands_over_becomes_the_answer(
    service: FulfillmentHost, bare: Installation, tmp_path: Path
) -> None:
    asked = await service.asked(EMAIL, "know_specific")
    await service.hear(*asked.facts("know_specific"))
    await service.run_tasks()
    assert (await service.case(asked.request_id)).stuck == (TASK,)

    seeds = await subjects_of(bare.settings, asked.request_id, proved=True)
    reason = await told(service, asked.request_id)
    reference = reason.rpartition(" ")[2]
    copy = json.dumps({"repairs": [{"day": "2026-01-05", "note": "brakes"}]})
    (tmp_path / "copies" / f"{reference}.json").write_text(copy)
    again = RetryTask(task=TASK, actor="parts-office", reason="the copy is there")
    assert (await service.decided(asked, again)).status == "applied"
    await service.run_tasks()

    assert json.loads(seeds) == {"email": EMAIL}
    assert EMAIL not in reason
    (end,) = await service.fulfilled(asked.request_id)
    assert (end.resolution, end.package is not None) == ("complete", True)
    assert [outcome.exported for outcome in end.systems] == [1]


async def test_a_deletion_ends_with_a_person_s_signed_word_and_its_evidence(service: FulfillmentHost) -> None:
    asked = await service.asked(EMAIL)
    await service.hear(*asked.facts())
    await service.run_tasks()
    assert await service.fulfilled(asked.request_id) == []
    word = CompleteTask(
        task="act:cabinet:delete", outcome="done", actor="parts-office", reason="shredded", evidence="BOOK-17"
    )

    assert (await service.decided(asked, word)).status == "applied"
    await service.run_tasks()

    (end,) = await service.fulfilled(asked.request_id)
    assert end.resolution == "complete"
    assert [(one.outcome, one.evidence) for one in end.systems] == [("done", "BOOK-17")]
