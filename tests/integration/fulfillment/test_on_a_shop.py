"""Rules, handlers and the SQL adapter together, on a real SQLite file."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from services.fulfillment.connected import Connected
from services.fulfillment.connecting import entry_of
from shared.events.fulfillment import SystemOutcome
from shared.privacy import Claims
from shared.vault.pieces import opening
from tests.support.archives import text_of
from tests.support.facts import RECEIVED_AT, verified
from tests.support.fulfillment_board import Board, Crash
from tests.support.shop import CANARIES, CARD, EMAIL, Shop, sqlite_shop

NOW = RECEIVED_AT + timedelta(hours=2)
KEY = "act:shop:delete"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    opened = await sqlite_shop(tmp_path).open()
    yield opened
    await opened.close()


async def begun(shop: Shop, folder: Path, right: str = "delete") -> Board:
    system = shop.system().model_copy(update={"business": "cascadia"})
    board = Board(folder, NOW, Connected(entry_of(system), system.datamap, shop.adapter(system)))
    await board.receive(right, Claims(email=EMAIL))
    board.hear(verified(right))
    return board


async def deleted(shop: Shop, folder: Path) -> tuple[Board, SystemOutcome]:
    board = await begun(shop, folder)
    await board.run_all()
    return board, board.fulfilled[0].systems[0]


async def test_a_deletion_is_partial_where_the_law_keeps_something(shop: Shop, tmp_path: Path) -> None:
    board, outcome = await deleted(shop, tmp_path)

    assert [(end.resolution, end.ground) for end in board.fulfilled] == [("partial", "exemption")]
    assert {(kept.dataset, kept.exemption) for kept in outcome.retained} == {
        ("invoices", "legal_obligation"),
        ("households", "rights_of_others"),
    }
    assert [row[0] for row in await shop.rows("customers")] == ["3"]


async def test_what_is_proved_after_a_crash_reads_like_what_was_answered(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = await begun(shop, tmp_path)
    adapter = board.connected[0].adapter
    act = adapter.act

    async def act_and_die(*args: object, **named: object) -> None:
        await act(*args, **named)  # type: ignore[arg-type]
        raise Crash

    monkeypatch.setattr(adapter, "act", act_and_die)
    assert await board.run(KEY) == "ambiguous"
    await board.run_all()

    settled = board.fulfilled[0].systems[0]
    other = await sqlite_shop(_fresh(tmp_path)).open()
    _, answered = await deleted(other, tmp_path)
    await other.close()
    assert settled.model_copy(update={"receipt_digest": None}) == answered.model_copy(
        update={"receipt_digest": None}
    )


async def test_an_answer_to_know_shows_no_password_and_no_card(shop: Shop, tmp_path: Path) -> None:
    board = await begun(shop, tmp_path, "know_specific")
    await board.run_all()

    reference = board.fulfilled[0].package
    assert reference is not None
    unseal = partial(board.vault.open, board.request_id, reference.package_id)
    with (tmp_path / f"{reference.package_id}.sealed").open("rb") as file:
        answer = text_of(b"".join(opening(file, "package", unseal)))
    assert EMAIL in answer
    assert CARD not in answer
    assert "made up" not in answer
    assert "a financial account number is held" in answer


async def test_nothing_that_a_task_leaves_shows_the_person(shop: Shop, tmp_path: Path) -> None:
    board, _ = await deleted(shop, tmp_path)

    held = board.held[KEY]
    seen = f"{held.plan.body} {held.frozen} {held.result} {board.case.model_dump_json()}".lower()
    assert not [canary for canary in CANARIES if canary.lower() in seen]


def _fresh(folder: Path) -> Path:
    other = folder / "other"
    other.mkdir()
    return other
