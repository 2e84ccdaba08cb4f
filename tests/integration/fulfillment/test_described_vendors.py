"""Fulfillment remembers on its database how vendors were described: who got data is told, though its file is gone."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import yaml

from services.fulfillment.app import told_over_kafka
from services.fulfillment.vendors.classification import Classified
from services.fulfillment.vendors.files import Vendor
from services.fulfillment.vendors.remembered import remember
from services.fulfillment.vendors.spans import spans_of, told_of_today
from shared.hosting import Resources, open_resources
from shared.policy.rights import Right
from tests.support.installation import Installation, Installations
from tests.support.memory_system import Row, connected, memory_system
from tests.support.vendors import a_flow, a_vendor

pytestmark = pytest.mark.connected
FIRST = datetime(2026, 3, 2, 18, tzinfo=UTC)
SECOND = FIRST + timedelta(days=7)
OTHER = a_vendor("contractor", vendor="post-house")
SHARED = a_vendor("third_party", flows=[a_flow("cross_context_advertising")])
SHOP = connected(memory_system("shop", Row("people", 1, {"email": "a@example.com"}), tables=()))


@dataclass
class At:
    """A clock that stands."""

    time: datetime

    def now(self) -> datetime:
        return self.time


@pytest.fixture(scope="module")
async def opened(installations: Installations) -> AsyncIterator[tuple[Installation, Resources]]:
    installation = await installations.make(topics=())
    async with AsyncExitStack() as stack:
        yield installation, await open_resources(installation.settings, "fulfillment", stack)


@pytest.fixture
async def resources(opened: tuple[Installation, Resources]) -> Resources:
    installation, found = opened
    async with installation.admin() as admin:
        await admin.execute("DELETE FROM fulfillment.described_vendors")
    return found


async def started(
    resources: Resources, folder: Path, at: datetime, *vendors: Vendor
) -> dict[str, tuple[Classified, frozenset[Right]]]:
    """Who is told after a start with these files, and of what that came on the day of the first start."""
    _described(folder, vendors)
    told = await told_over_kafka(replace(resources, clock=At(at)), folder, [SHOP])
    return {one.vendor.vendor: (one, _told_of(one, FIRST.date(), at.date())) for one in told}


def _described(folder: Path, vendors: Iterable[Vendor]) -> None:
    folder.mkdir()
    for one in vendors:
        text = yaml.safe_dump(one.model_dump(mode="json", exclude_none=True))
        (folder / f"{one.vendor}.yaml").write_text(text)


def _told_of(one: Classified, asked: date, today: date) -> frozenset[Right]:
    spans = (*spans_of(one.vendor), *one.earlier)
    return frozenset(right for span in spans for right in span.rights if span.concerns(right, asked, today))


async def test_whose_file_was_taken_away_is_told_of_what_came_before(
    resources: Resources, tmp_path: Path
) -> None:
    await started(resources, tmp_path / "first", FIRST, SHARED, OTHER)

    after = await started(resources, tmp_path / "second", SECOND, OTHER)

    assert sorted(after) == ["acme-mail", "post-house"]
    gone, told = after["acme-mail"]
    assert told == {Right.DELETE, Right.OPT_OUT, Right.LIMIT}
    assert told_of_today(gone, (SECOND + timedelta(days=1)).date()) == {Right.DELETE}


async def test_who_is_reached_through_its_system_by_now_is_not_told_as_well(
    resources: Resources, tmp_path: Path
) -> None:
    await started(resources, tmp_path / "first", FIRST, SHARED)

    through = a_vendor("third_party", told={"by": "system", "system": "shop"})
    assert await started(resources, tmp_path / "second", SECOND, through) == {}


async def test_a_file_that_did_not_change_is_noted_once_and_one_that_came_back_again(
    resources: Resources,
) -> None:
    for at, vendors in enumerate([[SHARED, OTHER], [SHARED, OTHER], [OTHER], [SHARED, OTHER]]):
        before = await remember(resources.pool, vendors, FIRST + timedelta(days=at))

    assert [(one.vendor.vendor, one.until) for one in before] == [
        ("acme-mail", (FIRST + timedelta(days=2)).date())
    ]
    rows = await resources.pool.fetch("SELECT vendor, last_true_at IS NULL AS now FROM described_vendors")
    assert sorted((row["vendor"], row["now"]) for row in rows) == [
        ("acme-mail", False), ("acme-mail", True), ("post-house", True),
    ]  # fmt: skip


async def test_a_description_that_no_version_reads_any_more_is_passed_over(resources: Resources) -> None:
    await _noted(resources.pool, "acme-mail", '{"vendor": "acme-mail"}')

    assert await remember(resources.pool, [OTHER], SECOND) == ()


async def test_what_was_erased_since_is_not_to_be_deleted_though_an_earlier_file_said_nothing_of_it(
    resources: Resources, tmp_path: Path
) -> None:
    await started(resources, tmp_path / "first", FIRST, SHARED)
    over = [a_flow("cross_context_advertising", ended_on="2026-03-05")]
    erased = {"on": "2026-03-06", "evidence": "letters/2026-011"}

    after = await started(
        resources, tmp_path / "second", SECOND, a_vendor("third_party", flows=over, erased=erased)
    )

    assert after["acme-mail"][1] == {Right.OPT_OUT, Right.LIMIT}


async def _noted(pool: asyncpg.Pool, vendor: str, description: str) -> None:
    await pool.execute(
        "INSERT INTO described_vendors (vendor, description, last_true_at) VALUES ($1, $2, $3)",
        vendor, description, FIRST,
    )  # fmt: skip
