"""A request to correct at a system over HTTP, from its claims to its receipt: made and read back, or a person's."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.fulfillment.adapters.http import open_adapter
from services.fulfillment.connected import Connected
from services.fulfillment.connecting import entry_of
from shared.events.commands import RetryTask
from shared.privacy import Claims
from shared.privacy.claims import Correction
from tests.support.facts import RECEIVED_AT, verified
from tests.support.fulfillment_board import EMAIL, Board
from tests.support.http_server import serving
from tests.support.vendor import Vendor

NOW = RECEIVED_AT + timedelta(hours=2)
KEY = "act:hubspot:correct"
FIRST_NAME = Correction(what="First name", should_be="Adah")


class Asked:
    def __init__(self, vendor: Vendor, board: Board) -> None:
        self.vendor = vendor
        self.board = board

    async def for_this(self, *corrections: Correction) -> None:
        await self.board.receive("correct", Claims(email=EMAIL, corrections=corrections))
        self.board.hear(verified("correct"))

    @property
    def changes(self) -> list[tuple[str, str]]:
        return [each for each in self.vendor.told if each[0] == "PATCH"]


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    vendor = Vendor("hubspot")
    async with serving(vendor.app) as address:
        system = vendor.system(address, tmp_path)
        adapter, entry = open_adapter(system), replace(entry_of(system), business="cascadia")
        yield Asked(vendor, Board(tmp_path, NOW, Connected(entry, system.datamap, adapter)))
        await adapter.close()


async def test_a_correction_is_made_read_back_and_counted(asked: Asked) -> None:
    await asked.for_this(FIRST_NAME)

    await asked.board.run_all()

    (end,) = asked.board.fulfilled
    assert (end.resolution, end.systems[0].corrected) == ("complete", 1)
    assert len(asked.changes) == 1
    assert asked.vendor.unknown == []


@pytest.mark.parametrize("point", ["after_calling", "before_finish"])
async def test_a_correction_whose_answer_was_lost_is_read_back_and_not_made_twice(
    asked: Asked, point: str
) -> None:
    await asked.for_this(FIRST_NAME)
    asked.board.crash_at = point

    await asked.board.run_all()

    (end,) = asked.board.fulfilled
    assert (end.resolution, end.systems[0].corrected) == ("complete", 1)
    assert len(asked.changes) == 1


async def test_what_the_map_does_not_name_is_a_persons_also_when_they_try_it_again(asked: Asked) -> None:
    await asked.for_this(FIRST_NAME, Correction(what="my shoe size", should_be="44"))
    await asked.board.run(KEY)

    asked.board.order(RetryTask(task=KEY, actor="front-desk", reason="once more"))
    await asked.board.run(KEY)

    held = asked.board.held[KEY]
    assert held.state == "needs_person"
    assert held.result is not None
    assert held.result["kind"] == "manual"
    assert "1 of 2 corrections" in held.result["reason"]
    assert "shoe" not in str(held.result)
    assert asked.changes == []


async def test_nobodys_words_are_in_what_the_task_leaves(asked: Asked) -> None:
    await asked.for_this(FIRST_NAME)
    await asked.board.run_all()

    held = asked.board.held[KEY]
    assert "Adah" not in f"{held.plan.body} {held.frozen} {held.result} {asked.board.case.model_dump_json()}"


@pytest.mark.parametrize(("is_now", "changes"), [("Ada", 1), ("Adeline", 0)])
async def test_a_value_that_nobody_disputes_is_not_overwritten(
    asked: Asked, is_now: str, changes: int
) -> None:
    await asked.for_this(FIRST_NAME.model_copy(update={"is_now": is_now}))

    await asked.board.run(KEY)

    held = asked.board.held[KEY]
    assert len(asked.changes) == changes
    assert held.state == ("done" if changes else "needs_person")
    assert held.result is not None
    assert changes or held.result["reason"] == (
        "contacts.firstname holds neither what is disputed nor what it should be"
    )
