"""Every connector that is shipped, against answers written from its vendor's documentation, good and bad."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.fulfillment.adapters.http.reading import read_connector
from services.fulfillment.ports import (
    Adapter,
    Ambiguous,
    Done,
    Export,
    Frozen,
    Gone,
    NeedsPerson,
    Outcome,
    StillPresent,
    Subject,
    Unknown,
)
from shared.privacy.claims import Correction
from tests.support.vendor import CONNECTORS, FIXTURES, Vendor, frozen_of

CUT_OFF = datetime(2026, 3, 1, tzinfo=UTC)
KEY = "0123456789abcdef"
# An audience holds hashes alone, and a stream of events what was said then.
NOT_READ = {"meta-custom-audiences", "segment"}
NAMES = sorted(file.stem for file in CONNECTORS.glob("*.yaml"))


class Trial:
    """One vendor, served, and the adapter that reaches it."""

    def __init__(self, vendor: Vendor, adapter: Adapter) -> None:
        self.vendor = vendor
        self.adapter = adapter

    @property
    def fixture(self) -> dict[str, object]:
        return dict(self.vendor.fixture)

    async def find(self) -> Frozen:
        found = await self.adapter.find(Subject(self.vendor.fixture["person"]), cut_off=CUT_OFF)
        assert isinstance(found, Frozen), (found, self.vendor.unknown)
        return found

    async def act(self, right: str, frozen: Frozen) -> Outcome:
        return await self.adapter.act(right, frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    def frozen(self) -> Frozen:
        return frozen_of(self.vendor.fixture["found"])


@pytest.fixture(params=NAMES)
async def trial(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Trial]:
    """A vendor in its first state."""
    vendor = Vendor(request.param)
    adapter = vendor.adapter(tmp_path)
    yield Trial(vendor, adapter)
    await adapter.close()


def test_eight_connectors_are_shipped_and_each_has_its_fixture() -> None:
    assert len(NAMES) == 8
    assert sorted(file.stem for file in FIXTURES.glob("*.yaml")) == NAMES
    assert sorted(file.stem for file in (CONNECTORS / "maps").glob("*.yaml")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_says_where_it_was_read_and_that_no_vendor_has_confirmed_it(name: str, tmp_path: Path) -> None:
    connector = read_connector(Vendor(name).system("http://localhost", tmp_path))

    assert connector.connector == name
    assert connector.verified == "unverified against the vendor"
    assert connector.sources
    assert connector.limits_of_this
    assert (connector.base_url or "").startswith("https://")


async def test_its_check_passes_and_says_that_it_is_unverified(trial: Trial) -> None:
    report = await trial.adapter.check()

    assert report.ok, (report, trial.vendor.unknown)
    assert not report.drift
    assert any("unverified against the vendor" in note for note in report.notes)


async def test_it_finds_the_person_and_nobody_who_only_resembles_them(trial: Trial) -> None:
    assert (await trial.find()).rows == trial.frozen().rows
    assert trial.vendor.unknown == []


async def test_it_shows_what_is_held(trial: Trial) -> None:
    export = await trial.adapter.export(trial.frozen(), cut_off=CUT_OFF)

    assert isinstance(export, Export), trial.vendor.unknown
    shown = trial.vendor.fixture.get("shown", {})
    assert any(shown.items() <= dict(row).items() for data in export.datasets for row in data.rows)
    assert export.categories


async def test_a_deletion_is_done_and_proved_and_not_done_again(trial: Trial) -> None:
    frozen, vendor = await trial.find(), trial.vendor
    outcome = await trial.act("delete", frozen)
    if isinstance(outcome, Ambiguous):
        assert outcome.look_again, (outcome, vendor.unknown)
        assert vendor.fixture["jobs"]
        frozen = Frozen(frozen.rows, jobs=outcome.jobs)
        vendor.state = "held"
        working = await trial.adapter.prove("delete", frozen, cut_off=CUT_OFF)
        assert isinstance(working, Unknown)
        assert working.look_again
        vendor.state = "gone"
    else:
        assert isinstance(outcome, Done), (outcome, vendor.unknown)
        assert sum(count.erased for count in outcome.receipt.datasets) == frozen.count()

    if trial.adapter.capabilities.verify:
        assert isinstance(await trial.adapter.prove("delete", frozen, cut_off=CUT_OFF), Gone), vendor.unknown
    assert vendor.unknown == []


async def test_an_opt_out_is_done_and_proved(trial: Trial) -> None:
    frozen, vendor = trial.frozen(), trial.vendor

    outcome = await trial.act("opt_out", frozen)

    if isinstance(outcome, Ambiguous):
        frozen = Frozen(frozen.rows, jobs=outcome.jobs)
    else:
        assert isinstance(outcome, Done), (outcome, vendor.unknown)
        assert sum(count.corrected for count in outcome.receipt.datasets) == 1
    if trial.adapter.capabilities.verify:
        assert isinstance(await trial.adapter.prove("opt_out", frozen, cut_off=CUT_OFF), Gone), vendor.unknown


async def test_a_correction_is_made_once_and_read_back_or_is_a_persons(trial: Trial) -> None:
    stated = trial.vendor.fixture.get("correction", {"what": "first name", "should_be": "Adah"})
    frozen = replace(trial.frozen(), corrections=(Correction.model_validate(stated),))

    first = await trial.act("correct", frozen)
    if trial.vendor.name in NOT_READ:
        assert isinstance(first, NeedsPerson)
        assert (first.kind, trial.vendor.told) == ("manual", [])
        return
    assert isinstance(await trial.adapter.prove("correct", frozen, cut_off=CUT_OFF), Gone), (
        trial.vendor.unknown
    )
    second = await trial.act("correct", frozen)

    assert isinstance(first, Done), (first, trial.vendor.unknown)
    assert isinstance(second, Done), second
    counts = [sum(count.corrected for count in each.receipt.datasets) for each in (first, second)]
    assert counts == [1, 0]
    assert trial.vendor.unknown == []


@pytest.mark.parametrize("right", ["delete", "opt_out"])
async def test_a_partial_success_is_told_as_one(trial: Trial, right: str) -> None:
    if right == "opt_out" and trial.vendor.name not in NOT_READ:
        return  # A flag is set row by row there: the next test.
    partial = trial.vendor.fixture["partial"]
    trial.vendor.exchanges[:0] = partial["exchanges"]
    frozen = frozen_of(partial["frozen"])

    outcome = await trial.act(right, frozen)

    match partial["expect"]:
        case "ambiguous":
            assert isinstance(outcome, Ambiguous), (outcome, trial.vendor.unknown)
            assert outcome.look_again is None
        case "still_present":
            assert isinstance(outcome, Ambiguous), outcome
            told = Frozen(frozen.rows, jobs=outcome.jobs)
            assert isinstance(await trial.adapter.prove(right, told, cut_off=CUT_OFF), StillPresent)
        case kind:
            assert isinstance(outcome, NeedsPerson), outcome
            assert outcome.kind == kind
    assert trial.vendor.unknown == []


@pytest.mark.parametrize("right", ["opt_out", "correct"])
@pytest.mark.parametrize("name", sorted(set(NAMES) - NOT_READ))
async def test_of_two_rows_of_which_one_is_refused_it_is_settled_by_reading_back(
    name: str, right: str, tmp_path: Path
) -> None:
    vendor = Vendor(name)
    two = vendor.fixture.get("two", vendor.fixture["partial"])
    vendor.exchanges[:0] = two["exchanges"]
    corrections = (Correction.model_validate(vendor.fixture["correction"]),)
    frozen = replace(frozen_of(two["frozen"]), corrections=corrections)
    other = str(next(iter(two["frozen"].values()))[1][0])
    vendor.trouble = lambda asked: (
        JSONResponse({}, 422) if asked.method != "GET" and other in asked.url.path else None
    )
    adapter = vendor.adapter(tmp_path)

    outcome = await adapter.act(right, frozen, cut_off=CUT_OFF, idempotency_key=KEY)
    await adapter.close()

    assert isinstance(outcome, Ambiguous), (outcome, vendor.unknown)
    assert "422" in outcome.reason
    assert vendor.unknown == []


async def test_stripe_is_told_the_same_under_the_same_key_and_something_else_under_another(
    tmp_path: Path,
) -> None:
    vendor, keys = Vendor("stripe"), list[str | None]()

    def refusing(asked: Request) -> Response | None:
        if asked.method == "GET":
            return None
        keys.append(asked.headers.get("idempotency-key"))
        return JSONResponse({}, 409)

    vendor.trouble = refusing
    adapter = vendor.adapter(tmp_path)
    found = frozen_of(vendor.fixture["found"])
    for name in ("Adah Canary", "Adah Canary", "Aida Canary"):
        wrong = Correction.model_validate({"what": "full name", "should_be": name})
        frozen = replace(found, corrections=(wrong,))
        await adapter.act("correct", frozen, cut_off=CUT_OFF, idempotency_key=KEY)
    await adapter.act("delete", found, cut_off=CUT_OFF, idempotency_key=KEY)
    await adapter.close()

    assert keys[0] == keys[1] != keys[2]
    assert keys[2:] == [keys[2], None]
