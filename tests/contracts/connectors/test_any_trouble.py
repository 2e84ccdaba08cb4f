"""The promise that each connector covers 401, 404, 429, 5xx, partial success and HTML in the place of JSON, by verb.

Every connector that is shipped is asked everything that an adapter can be asked, while its vendor is in every kind of
trouble. What must come of it stands in one table; who differs stands below it with the reason. A connector, verb or
trouble that is left out of the tables fails.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from services.fulfillment.ports import (
    Adapter,
    Ambiguous,
    CheckReport,
    DatasetCount,
    Done,
    Export,
    Frozen,
    Gone,
    Job,
    NeedsPerson,
    Retry,
    StillPresent,
    Subject,
    Unknown,
)
from shared.privacy.claims import Correction
from tests.support.vendor import CONNECTORS, Vendor, connector_of, frozen_of

CUT_OFF = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = sorted(file.stem for file in CONNECTORS.glob("*.yaml"))
CHANGES = ("delete", "opt_out", "correct")
TROUBLES: dict[str, Callable[[], Response]] = {
    "401": lambda: JSONResponse({"error": "no"}, 401),
    "403": lambda: JSONResponse({"error": "no"}, 403),
    "404": lambda: JSONResponse({"error": "not found"}, 404),
    "429": lambda: JSONResponse({}, 429, {"Retry-After": "33"}),
    "500": lambda: Response("oops", 500),
    "502": lambda: Response("oops", 502),
    "503": lambda: Response("oops", 503),
    "504": lambda: Response("oops", 504),
    "html": lambda: HTMLResponse("<h1>Sign in</h1>"),
}
SERVER_FAULTS = ("500", "502", "503", "504")

# By trouble: what is said to each question. "changing" meets the trouble in the request that changes something alone,
# "act" in every request, as when the whole interface is away.
SAID: dict[str, dict[str, str]] = {
    "401": {"check": "not let in", "ask": "credentials", "changing": "credentials", "act": "credentials"},
    "403": {"check": "not let in", "ask": "credentials", "changing": "credentials", "act": "credentials"},
    # An interface that says 404 to everything is not believed that nobody is there.
    "404": {"check": "away", "ask": "schema", "changing": "nothing was left to do", "act": "schema"},
    "429": {"check": "away", "ask": "in 33 s", "changing": "in 33 s", "act": "in 33 s"},
    **{
        status: {"check": "away", "ask": "later", "changing": "read back first", "act": "later"}
        for status in SERVER_FAULTS
    },
    "html": {"check": "away", "ask": "schema", "changing": "schema", "act": "schema"},
}

QUESTIONS = {"check", "find", "export"} | {
    f"{kind} {right}" for kind in ("changing", "act", "prove") for right in CHANGES
}

# Nobody can be looked up there: a person is found without a question, and what was sent cannot be read back.
NOT_READ = {
    "find": "Frozen",
    "export": "Export",
    **{
        f"act {right} {status}": "read back first"
        for right in ("delete", "opt_out")
        for status in SERVER_FAULTS
    },
    # The request is about many at once: 404 says that it has no such address.
    "changing delete 404": "schema",
    "changing opt_out 404": "schema",
    # Hashes and events cannot be corrected.
    "changing correct": "manual",
    "act correct": "manual",
    "prove correct": "StillPresent",
}
OTHERWISE: dict[str, dict[str, str]] = {
    "meta-custom-audiences": {**NOT_READ, "prove": "StillPresent"},
    "segment": NOT_READ,
    "salesforce": {
        "changing delete 404": "schema",
        # The first request is for a token; who is not given one has the wrong credentials or address.
        **{f"{kind} {trouble}": "credentials" for kind in ("find", "export") for trouble in ("404", "html")},
        **{f"check {trouble}": "not let in" for trouble in ("404", "html")},
    },
}


def test_every_trouble_has_its_line_and_the_promise_is_covered() -> None:
    assert set(SAID) == set(TROUBLES) >= {"401", "404", "429", "500", "503", "html"}
    assert len(NAMES) == 8


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("name", NAMES)
async def test_whatever_trouble_a_vendor_is_in_each_verb_says_so(
    name: str, trouble: str, tmp_path: Path
) -> None:
    vendor = Vendor(name)
    adapter = vendor.adapter(tmp_path)
    said = {}
    for question, ask in questions(vendor, adapter):
        vendor.trouble = answering(vendor, TROUBLES[trouble], only_changes=question.startswith("changing"))
        said[question] = in_a_word(await ask())
    await adapter.close()

    assert said == {question: expected(name, trouble, question) for question in said}
    assert set(said) == QUESTIONS


@pytest.mark.parametrize("trouble", ["401", "403", "404", "html"])
@pytest.mark.parametrize("name", NAMES)
async def test_what_a_person_has_to_mend_is_said_with_the_place_to_mend_it_in(
    name: str, trouble: str, tmp_path: Path
) -> None:
    vendor = Vendor(name)
    adapter = vendor.adapter(tmp_path)
    vendor.trouble = answering(vendor, TROUBLES[trouble], only_changes=False)

    report = await adapter.check()
    await adapter.close()

    assert not report.ok
    assert any("renew the secret" in note or "look at url" in note for note in report.notes), report.notes


def expected(name: str, trouble: str, question: str) -> str:
    """What the tables say: the connector's own line first."""
    kind, *_ = question.split()
    own = OTHERWISE.get(name, {})
    for line in (f"{question} {trouble}", f"{kind} {trouble}", question, kind):
        if line in own:
            return own[line]
    return "unproved" if kind == "prove" else SAID[trouble]["ask" if kind in ("find", "export") else kind]


def questions(vendor: Vendor, adapter: Adapter) -> Iterator[tuple[str, Callable[[], Awaitable[object]]]]:
    """Everything that an adapter can be asked."""
    found = frozen_of(vendor.fixture["found"])
    yield "check", adapter.check
    yield "find", partial(adapter.find, Subject(vendor.fixture["person"]), cut_off=CUT_OFF)
    yield "export", partial(adapter.export, found, cut_off=CUT_OFF)
    for right in CHANGES:
        for when in ("changing", "act"):
            act = partial(adapter.act, right, held(vendor), cut_off=CUT_OFF)
            yield f"{when} {right}", partial(act, idempotency_key="0123456789abcdef")
        yield f"prove {right}", partial(adapter.prove, right, ordered_before(vendor, right), cut_off=CUT_OFF)


def held(vendor: Vendor) -> Frozen:
    stated = vendor.fixture.get("correction", {"what": "first name", "should_be": "Adah"})
    return replace(frozen_of(vendor.fixture["found"]), corrections=(Correction.model_validate(stated),))


def ordered_before(vendor: Vendor, right: str) -> Frozen:
    """The same, where the system works it off by itself with the jobs that it was given."""
    specs = connector_of(vendor.name).collections
    changes = {name: getattr(specs[name], right) for name in vendor.fixture["found"]}
    jobs = [Job(f"{name}.{right}:j-1", CUT_OFF) for name, change in changes.items() if change and change.job]
    return replace(held(vendor), jobs=tuple(jobs))


def answering(
    vendor: Vendor, answer: Callable[[], Response], *, only_changes: bool
) -> Callable[[Request], Response | None]:
    return lambda request: answer() if not only_changes or vendor.changing(request) else None


def in_a_word(answer: object) -> str:
    """What an answer asks of whoever asked."""
    match answer:
        case CheckReport():
            return "ok" if answer.ok else "not let in" if answer.reachable else "away"
        case NeedsPerson():
            return answer.kind
        case Retry(after):
            return "in 33 s" if after == timedelta(seconds=33) else "later"
        case Done(receipt):
            return "done" if any(map(changed, receipt.datasets)) else "nothing was left to do"
    assert isinstance(answer, Ambiguous | Unknown | StillPresent | Gone | Export | Frozen), answer
    return {Ambiguous: "read back first", Unknown: "unproved"}.get(type(answer), type(answer).__name__)


def changed(count: DatasetCount) -> int:
    return count.erased + count.deidentified + count.corrected
