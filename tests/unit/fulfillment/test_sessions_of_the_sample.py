"""The OpenDSR processor of the sample: ordered by the real adapter, called back, and proved by its own books."""

import shutil
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from deploy.demo.cascadia.people import make_people, stranger_to
from deploy.demo.plan import Ask
from deploy.demo.session_calls import CALLBACK
from deploy.demo.sessions import Sessions
from deploy.demo.told import ToldSystems
from deploy.demo.world import SYSTEMS as DESCRIBED
from services.fulfillment.connected import Connected
from services.fulfillment.connecting import connect
from services.fulfillment.ports import Ambiguous, Export, Frozen, Gone, Retry, Subject, Unknown
from shared.clock import SystemClock
from shared.settings import Settings

GONE, ASKS, SILENT = PEOPLE = make_people(1, 3)
STRANGER = stranger_to(PEOPLE)
CUT_OFF = datetime(2026, 11, 1, tzinfo=UTC)
ASKED: dict[UUID, Ask[Any]] = {
    UUID(int=1): Ask(GONE, "delete", "http", "assertion"),
    UUID(int=2): Ask(ASKS, "know_specific", "http", "assertion"),
    UUID(int=3): Ask(SILENT, "delete", "http", "none", "silent"),
    UUID(int=4): Ask(STRANGER, "know_specific", "http", "assertion", "unknown"),
}


@pytest.fixture
def sessions(tmp_path: Path) -> Any:
    (tmp_path / "cascadia").mkdir()
    (tmp_path / "mail").mkdir()
    (tmp_path / "run").mkdir()
    shutil.copytree(DESCRIBED, tmp_path / "systems")
    told = ToldSystems(Settings(home=tmp_path), tmp_path / "mail")
    told.furnish(PEOPLE)
    yield told.sessions
    told.stop()


@pytest.fixture
async def system(sessions: Sessions, tmp_path: Path) -> AsyncIterator[Connected]:
    del sessions
    every = connect(tmp_path / "systems", tmp_path, SystemClock())
    found = next(one for one in every if one.entry.name == "cascadia-sessions")
    yield found
    await found.adapter.close()


async def ordered(system: Connected, email: str) -> Frozen:
    frozen = await system.adapter.find(Subject({"email": email}), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    return frozen


async def erased(system: Connected, email: str) -> Frozen:
    frozen = await ordered(system, email)
    answer = await system.adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key="k")
    assert isinstance(answer, Ambiguous)
    return frozen


async def copied(system: Connected, sessions: Sessions, email: str) -> Export:
    frozen = await ordered(system, email)
    for _ in range(2):
        assert isinstance(await system.adapter.export(frozen, cut_off=CUT_OFF), Retry)
        sessions.books.advance()
    copy = await system.adapter.export(frozen, cut_off=CUT_OFF)
    assert isinstance(copy, Export)
    return copy


async def test_an_erasure_is_done_in_its_states_and_a_copy_holds_the_visits(
    sessions: Sessions, system: Connected
) -> None:
    checked = await system.adapter.check()
    assert (checked.reachable, checked.credentials, checked.notes) == (True, True, ())
    assert len(list(sessions.findings(ASKED))) == 2

    frozen = await erased(system, GONE.email)
    for _ in range(2):
        assert isinstance(await system.adapter.prove("delete", frozen, cut_off=CUT_OFF), Unknown)
        sessions.books.advance()
    assert isinstance(await system.adapter.prove("delete", frozen, cut_off=CUT_OFF), Gone)
    copy = await copied(system, sessions, ASKS.email)
    nothing = await copied(system, sessions, STRANGER.email)

    assert [row["page"] for row in copy.datasets[0].rows] == ["/finance/apply", "/vehicles/used"]
    assert nothing.datasets == ()
    assert list(sessions.findings(ASKED)) == []


async def test_an_order_that_comes_again_is_refused_with_400_and_stands_once_in_the_books(
    sessions: Sessions, system: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: list[bool] = []
    take = sessions.books.take

    def taken(order: str, kind: str, email: str) -> bool:
        answered.append(take(order, kind, email))
        return answered[-1]

    monkeypatch.setattr(sessions.books, "take", taken)

    await erased(system, GONE.email)
    await erased(system, GONE.email)

    assert answered == [True, False]
    assert sessions.books.heard() == [("erasure", GONE.email)]


@pytest.mark.parametrize(
    ("wrong", "status", "reason"),
    [
        ({"account": "guessed"}, 401, "its account is not ours"),
        ({"regulation": "none"}, 400, "it is not an order in OpenDSR's words"),
        ({"status_callback_urls": ["https://elsewhere.example"]}, 400, "it is not an order in OpenDSR's words"),
        ({"subject_request_type": "portability"}, 400, "it is not an order in OpenDSR's words"),
    ],
    ids=["another account", "another law", "called back elsewhere", "not served"],
)  # fmt: skip
async def test_what_is_no_order_of_ours_is_refused_and_is_a_finding(
    sessions: Sessions, tmp_path: Path, wrong: dict[str, Any], status: int, reason: str
) -> None:
    said = {
        name: (tmp_path / "cascadia" / f"cascadia-sessions.{name}").read_text()
        for name in ("url", "password")
    }
    order = {
        "regulation": "ccpa", "subject_request_id": "o-1", "subject_request_type": "erasure", "api_version": "2.0",
        "status_callback_urls": [CALLBACK],
        "subject_identities": [{"identity_type": "email", "identity_format": "raw", "identity_value": GONE.email}],
    }  # fmt: skip
    password = wrong.pop("account", said["password"])

    async with httpx2.AsyncClient(auth=("cascadia", password)) as http:
        answer = await http.post(f"{said['url']}/requests", json={**order, **wrong})

    assert answer.status_code == status
    assert list(sessions.findings({})) == [f"cascadia-sessions refused 1 calls, the first because {reason}"]
    assert sessions.books.heard() == []


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (lambda _books: None, "cascadia-sessions did 1 orders at whose end nobody looked"),
        (lambda books: books.take("o-2", "erasure", GONE.email), "cascadia-sessions was told of 1 people twice"),
        (
            lambda books: books.take("o-2", "erasure", SILENT.email),
            "cascadia-sessions was told of 1 people of whom it should not be",
        ),
        (
            lambda books: books.called("o-1", 403),
            "cascadia-sessions called back 1 times in vain, the first was answered with 403",
        ),
    ],
    ids=["unread", "twice", "never verified", "not believed"],
)  # fmt: skip
def test_what_should_not_stand_in_the_books_is_found(
    sessions: Sessions, happens: Callable[[Any], Any], said: str
) -> None:
    sessions.books.take("o-1", "erasure", GONE.email)
    for _ in range(2):
        sessions.books.advance()

    happens(sessions.books)

    assert said in list(sessions.findings(dict(list(ASKED.items())[:1])))


async def test_a_callback_is_believed_for_its_signature_in_both_spellings(
    sessions: Sessions, system: Connected, tmp_path: Path
) -> None:
    assert system.receives is not None
    answers = []

    def hear(request: httpx2.Request) -> httpx2.Response:
        assert str(request.url) == "http://127.0.0.1:1/callbacks/cascadia-sessions"
        assert system.receives is not None
        answers.append((system.receives.refusal(request.content, request.headers), request.content))
        return httpx2.Response(202)

    (tmp_path / "run" / "fulfillment.url").write_text("http://127.0.0.1:1")
    order = str(UUID(int=7, version=4))
    changes = [(order, "access", "in_progress"), (order, "erasure", "in_progress")]
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(hear)) as http:
        await sessions.calls.call(http, changes)

    assert [fault for fault, _ in answers] == [None, None]
    assert [b'"in-progress"' in raw for _, raw in answers] == [True, False]
    assert system.receives.refusal(answers[0][1], {}) is not None
    assert sessions.books.answers() == [202, 202]
