"""Every connector that is shipped, against answers written from its vendor's documentation, good and bad."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from services.fulfillment.adapters.http.reading import load_connector
from services.fulfillment.ports import (
    Adapter,
    Ambiguous,
    Done,
    Export,
    Frozen,
    Gone,
    NeedsPerson,
    Outcome,
    Retry,
    StillPresent,
    Subject,
    Unknown,
)
from shared.privacy.claims import Correction
from tests.support.http_server import serving
from tests.support.vendor import CONNECTORS, FIXTURES, Vendor

CUT_OFF = datetime(2026, 3, 1, tzinfo=UTC)
KEY = "0123456789abcdef"
# An audience holds hashes alone, and a stream of events what was said then.
NEVER_CORRECTED = {"meta-custom-audiences", "segment"}
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

    def refuse(self, answer: Response, *, changes: bool) -> None:
        """Answer so to every request, or to those alone that change something."""
        vendor = self.vendor

        def trouble(request: Request) -> Response | None:
            return answer if not changes or vendor.changing(request) else None

        vendor.trouble = trouble


def frozen_of(stated: dict[str, list[list[int | str]]]) -> Frozen:
    return Frozen({name: tuple(tuple(key) for key in keys) for name, keys in stated.items()})


@pytest.fixture(params=NAMES)
async def trial(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Trial]:
    """A vendor in its first state."""
    vendor = Vendor(request.param)
    async with serving(vendor.app) as address:
        adapter = vendor.adapter(address, tmp_path)
        yield Trial(vendor, adapter)
        await adapter.close()


def test_eight_connectors_are_shipped_and_each_has_its_fixture() -> None:
    assert len(NAMES) == 8
    assert sorted(file.stem for file in FIXTURES.glob("*.yaml")) == NAMES
    assert sorted(file.stem for file in (CONNECTORS / "maps").glob("*.yaml")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_says_where_it_was_read_and_that_no_vendor_has_confirmed_it(name: str) -> None:
    connector = load_connector(CONNECTORS / f"{name}.yaml")

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
    if trial.vendor.name in NEVER_CORRECTED:
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


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_are_for_a_person(trial: Trial, status: int) -> None:
    trial.refuse(JSONResponse({"error": "no"}, status), changes=True)

    outcome = await trial.act("delete", trial.frozen())
    trial.refuse(JSONResponse({"error": "no"}, status), changes=False)
    report = await trial.adapter.check()

    assert isinstance(outcome, NeedsPerson), outcome
    assert outcome.kind == "credentials"
    assert (report.reachable, report.credentials) == (True, False)


async def test_what_is_gone_already_is_no_fault(trial: Trial) -> None:
    trial.refuse(JSONResponse({"error": "not found"}, 404), changes=True)

    outcome = await trial.act("delete", trial.frozen())

    assert isinstance(outcome, Done), outcome
    assert not any(count.erased for count in outcome.receipt.datasets)


async def test_a_limit_that_is_used_up_is_waited_for_as_long_as_it_says(trial: Trial) -> None:
    trial.refuse(JSONResponse({}, 429, {"Retry-After": "33"}), changes=True)

    outcome = await trial.act("delete", trial.frozen())

    assert outcome == Retry(timedelta(seconds=33), outcome.reason if isinstance(outcome, Retry) else "")


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_fault_of_the_server_is_settled_by_reading_back(trial: Trial, status: int) -> None:
    trial.refuse(Response("oops", status), changes=True)
    outcome = await trial.act("delete", trial.frozen())
    trial.refuse(Response("oops", status), changes=False)
    proof = await trial.adapter.prove("delete", trial.frozen(), cut_off=CUT_OFF)
    report = await trial.adapter.check()

    assert isinstance(outcome, Ambiguous), outcome
    assert isinstance(proof, Unknown | StillPresent)
    assert not report.reachable


async def test_a_page_for_people_in_the_place_of_json_is_for_a_person(trial: Trial) -> None:
    trial.refuse(HTMLResponse("<h1>Sign in</h1>"), changes=True)
    outcome = await trial.act("delete", trial.frozen())
    trial.refuse(HTMLResponse("<h1>Sign in</h1>"), changes=False)

    assert isinstance(outcome, NeedsPerson), outcome
    assert outcome.kind == "schema"
    assert not (await trial.adapter.check()).ok


async def test_a_partial_success_is_told_as_one(trial: Trial) -> None:
    partial = trial.vendor.fixture["partial"]
    trial.vendor.exchanges[:0] = partial["exchanges"]
    frozen = frozen_of(partial["frozen"])

    outcome = await trial.act("delete", frozen)

    match partial["expect"]:
        case "ambiguous":
            assert isinstance(outcome, Ambiguous), (outcome, trial.vendor.unknown)
            assert outcome.look_again is None
        case "still_present":
            assert isinstance(outcome, Ambiguous), outcome
            told = Frozen(frozen.rows, jobs=outcome.jobs)
            assert isinstance(await trial.adapter.prove("delete", told, cut_off=CUT_OFF), StillPresent)
        case kind:
            assert isinstance(outcome, NeedsPerson), outcome
            assert outcome.kind == kind
    assert trial.vendor.unknown == []
