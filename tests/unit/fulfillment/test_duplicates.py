"""A later request of the same verified subject waits for the first, and is answered with it or by itself."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from tests.support.domain_driver import REQUEST
from tests.support.facts import RECEIVED_AT, received, verified, withdrawn
from tests.support.fulfillment_board import EMAIL, Board
from tests.support.memory_system import Row, connected, memory_system

NOW = RECEIVED_AT + timedelta(hours=2)
FIRST = uuid5(REQUEST, "the first request")


class Later:
    """The later request, with one system."""

    def __init__(self, folder: Path) -> None:
        self.crm = memory_system("crm", Row("people", 1, {"email": EMAIL}))
        self.board = Board(folder, NOW, connected(self.crm))

    async def arrive(self, facts: UUID | None = FIRST, **said: Any) -> None:
        await self.board.receive()
        self.board.hear(verified(**said), facts=facts)


@pytest.fixture
def later(tmp_path: Path) -> Later:
    return Later(tmp_path)


async def test_it_waits_while_the_first_is_open_and_asks_no_system(later: Later) -> None:
    await later.arrive()

    assert await later.board.run("join") == "queued"
    assert list(later.board.held) == ["join"]
    assert not later.crm.ledger


@pytest.mark.parametrize("resolution", ["complete", "partial", "nothing_found"])
async def test_it_is_a_duplicate_once_the_first_did_what_both_asked(later: Later, resolution: str) -> None:
    await later.arrive()
    later.board.ends.resolutions[FIRST] = resolution

    await later.board.run_all()

    assert [(end.resolution, end.duplicate_of) for end in later.board.fulfilled] == [("duplicate", FIRST)]
    assert not later.crm.ledger


@pytest.mark.parametrize("resolution", ["withdrawn", "denied", "duplicate"])
async def test_it_runs_by_itself_when_the_first_did_not(later: Later, resolution: str) -> None:
    await later.arrive()
    later.board.ends.resolutions[FIRST] = resolution

    await later.board.run_all()

    assert [(end.resolution, end.duplicate_of) for end in later.board.fulfilled] == [("complete", None)]
    assert len(later.crm.effective()) == 1


async def test_a_withdrawal_of_the_later_one_ends_its_waiting(later: Later) -> None:
    await later.arrive()

    later.board.hear(withdrawn())
    await later.board.run_all()

    assert [end.resolution for end in later.board.fulfilled] == ["withdrawn"]


async def test_who_was_not_verified_is_joined_to_nobody(later: Later) -> None:
    await later.arrive(conclusion="not_needed", method="none", degree="none")

    assert "join" not in later.board.held


async def test_verification_that_comes_first_remembers_what_it_found(later: Later) -> None:
    later.board.hear(verified(), facts=FIRST)
    later.board.hear(received())

    assert list(later.board.held) == ["join"]
