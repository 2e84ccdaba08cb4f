"""A system's backup comes back with people who were deleted: they go again, by keyed hash, and nobody else does."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.fulfillment.app import entry_of
from services.fulfillment.connected import Connected
from services.fulfillment.holding import HoldRegister
from services.fulfillment.replaying import ListsPeople, Replay, Replayed
from services.fulfillment.suppression import SuppressionRegister
from shared.events.commands import RecordReplay
from tests.support.fulfillment_host import FulfillmentHost, fulfillment_host
from tests.support.installation import Installation, Installations
from tests.support.shop import CUT_OFF, EMAIL, Shop, sqlite_shop

pytestmark = pytest.mark.connected


@pytest.fixture
async def bare(installations: Installations) -> Installation:
    """An installation without topics: nothing here is published."""
    return await installations.make(topics=())


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    opened = await sqlite_shop(tmp_path).open()
    yield opened
    await opened.close()


@pytest.fixture
async def service(bare: Installation, shop: Shop) -> AsyncIterator[FulfillmentHost]:
    system = shop.system()
    entry = replace(entry_of(system), business="cascadia", proves=True)
    async with fulfillment_host(bare, [Connected(entry, system.datamap, shop.adapter(system))]) as opened:
        yield opened


async def replayed(service: FulfillmentHost, shop: Shop) -> list[Replayed]:
    adapter = shop.adapter()
    assert isinstance(adapter, ListsPeople)
    resources = service.resources
    again = Replay(
        "shop",
        "cascadia",
        adapter,
        SuppressionRegister(resources.pool),
        resources.keys.lookup(),
        HoldRegister(resources.pool),
    )
    return [one async for one in again.run(adapter.identities(at_once=2))]


async def test_who_was_deleted_goes_again_and_whoever_is_new_stays(
    service: FulfillmentHost, shop: Shop, tmp_path: Path
) -> None:
    file = Path(shop.adapter_url.removeprefix("sqlite:///"))
    shutil.copy(file, tmp_path / "backup.sqlite")
    asked = await service.asked(EMAIL)
    await service.hear(*asked.facts(concluded_at=CUT_OFF))
    await service.run_tasks()
    deleted = await shop.content()

    shutil.copy(tmp_path / "backup.sqlite", file)
    await shop.re_register()
    done = await replayed(service, shop)

    assert [(one.request_id, one.problem) for one in done] == [(asked.request_id, "")]
    assert done[0].rows > 0
    content = await shop.content()
    assert not set(deleted["customers"]) - set(content["customers"])
    new = {row[0] for row in content["customers"]} - {row[0] for row in deleted["customers"]}
    assert new == {"9"}
    assert await replayed(service, shop) == []


async def test_a_replay_is_stated_as_two_findings_of_the_request(service: FulfillmentHost) -> None:
    asked = await service.asked(EMAIL)
    await service.hear(*asked.facts(concluded_at=CUT_OFF))
    await service.run_tasks()

    body = RecordReplay(system="shop", rows=3, receipt_digest="d" * 64, actor="operator")
    answer = await service.decided(asked, body)

    assert answer.refusal is None
    rows = await service.resources.pool.fetch(
        "SELECT convert_from(value, 'utf8') AS body FROM outbox WHERE topic = 'dsar.fulfilled' ORDER BY id"
    )
    assert ['"came_back"' in row["body"] for row in rows] == [False, True, False]
    assert '"deleted_again"' in rows[2]["body"]


async def test_what_was_not_deleted_cannot_have_been_replayed(service: FulfillmentHost) -> None:
    asked = await service.asked(EMAIL, "opt_out")
    await service.hear(*asked.facts("opt_out", conclusion="not_needed", subject_hash=None))
    await service.run_tasks()

    body = RecordReplay(system="shop", rows=3, receipt_digest="d" * 64, actor="operator")

    assert (await service.decided(asked, body)).refusal == "not_deleted"
