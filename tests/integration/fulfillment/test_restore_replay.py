"""A system's backup comes back with people who were deleted: they go again, by keyed hash, and nobody else does."""

import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import pytest

from services.fulfillment.connected import Connected
from services.fulfillment.connecting import entry_of
from services.fulfillment.holding import HoldRegister
from services.fulfillment.ports import CannotListError
from services.fulfillment.replaying import ListsPeople, Replay, Replayed, Restored
from services.fulfillment.suppression import SuppressionRegister
from shared.events.commands import PlaceStandingHold, RecordReplay, ReleaseStandingHold
from shared.privacy.holds import hold_hashes
from tests.support.domain_driver import Messages
from tests.support.fulfillment_host import Asked, FulfillmentHost, fulfillment_host
from tests.support.installation import Installation, Installations
from tests.support.shop import CUT_OFF, EMAIL, PHONE, Shop, sqlite_shop

pytestmark = pytest.mark.connected
WHY = {"business": "cascadia", "actor": "counsel", "reason": "litigation 24-118", "evidence": "LEGAL-9"}


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
        Restored("shop", "cascadia", adapter, shop.system().datamap),
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


async def test_a_backup_of_an_older_schema_is_said_and_nobody_is_deleted(
    service: FulfillmentHost, shop: Shop
) -> None:
    before = await came_back(service, shop)
    await shop.run("ALTER TABLE customers RENAME COLUMN email TO mail")

    with pytest.raises(CannotListError, match=r"customers\.email is missing"):
        await replayed(service, shop)

    assert {name: len(rows) for name, rows in (await shop.content()).items()} == {
        name: len(rows) for name, rows in before.items()
    }


def a_hold() -> Asked:
    """Its own case, which nobody was told of yet."""
    hold_id = uuid4()
    return Asked(hold_id, Messages(hold_id))


async def came_back(service: FulfillmentHost, shop: Shop) -> Mapping[str, Any]:
    """Ada was deleted by her address and her telephone number, and her rows are there again; what there is now."""
    file = Path(shop.adapter_url.removeprefix("sqlite:///"))
    backup = file.with_suffix(".backup")
    shutil.copy(file, backup)
    asked = await service.asked(EMAIL, phone=PHONE)
    await service.hear(*asked.facts(concluded_at=CUT_OFF))
    await service.run_tasks()
    shutil.copy(backup, file)
    return await shop.content()


@pytest.mark.parametrize(("kind", "value"), [("email", EMAIL), ("phone", PHONE)])
async def test_whoever_is_on_hold_by_one_of_their_identifiers_is_not_deleted_again_by_another(
    service: FulfillmentHost, shop: Shop, kind: str, value: str
) -> None:
    before = await came_back(service, shop)
    hashes = hold_hashes(service.resources.keys.lookup(), "cascadia", kind, value)
    hold = a_hold()
    answer = await service.decided(hold, PlaceStandingHold(scope="person", hashes=hashes, **WHY))
    assert answer.refusal is None

    done = await replayed(service, shop)

    assert await shop.content() == before
    assert {one.problem for one in done} == {"on hold: replay again once it is released"}
    assert not any(one.rows for one in done)

    await service.decided(hold, ReleaseStandingHold(actor="counsel", reason="settled"))
    assert sum(one.rows for one in await replayed(service, shop)) > 0
    assert await replayed(service, shop) == []


@pytest.mark.parametrize(("scope", "name"), [("system", "shop"), ("category", "commercial")])
async def test_what_a_system_or_a_category_keeps_is_not_deleted_again(
    service: FulfillmentHost, shop: Shop, scope: Literal["system", "category"], name: str
) -> None:
    before = await came_back(service, shop)
    placed = PlaceStandingHold(scope=scope, name=name, **WHY)
    answer = await service.decided(a_hold(), placed)
    assert answer.refusal is None

    done = await replayed(service, shop)

    assert await shop.content() == before
    assert {one.problem for one in done} == {"on hold: replay again once it is released"}


async def test_a_hold_on_somebody_else_keeps_nobody(service: FulfillmentHost, shop: Shop) -> None:
    await came_back(service, shop)
    hashes = hold_hashes(service.resources.keys.lookup(), "cascadia", "email", "bob@example.com")
    answer = await service.decided(a_hold(), PlaceStandingHold(scope="person", hashes=hashes, **WHY))
    assert answer.refusal is None

    assert sum(one.rows for one in await replayed(service, shop)) > 0


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
