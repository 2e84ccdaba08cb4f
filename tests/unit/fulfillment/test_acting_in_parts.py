"""The act task at a system that does things in its own time, or in parts: ordered once, waited for, counted whole."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.fulfillment.ports import Ambiguous, Capabilities, Frozen, Job, Outcome, Proof, Unknown
from shared.tasks.work import Again
from tests.support.facts import RECEIVED_AT, verified
from tests.support.fulfillment_board import EMAIL, Board, Crash
from tests.support.memory_system import MemorySystem, Row, connected, memory_system

NOW = RECEIVED_AT + timedelta(hours=2)
KEY = "act:desk:delete"
LATER = timedelta(seconds=90)
JOB = Job("people.delete:17", NOW)
ROWS = (Row("people", 1, {"email": EMAIL}), Row("people", 2, {"email": EMAIL}))
IN_PARTS = Capabilities(
    idempotency_key=True, verify=True, naturally_idempotent=True, bounded_by_cutoff=True, wholly=False
)


class Desk(MemorySystem):
    """A system that takes a deletion on, and does it after `patience` looks at its job."""

    capabilities = IN_PARTS

    def __init__(self, patience: int) -> None:
        super().__init__("desk", memory_system("desk").datamap, ROWS)
        self.patience = patience
        self.ordered = 0
        self.looked_at: list[tuple[Job, ...]] = []

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        self.ordered += 1
        return Ambiguous("the system has taken it on", (JOB,), LATER)

    async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
        self.looked_at.append(frozen.jobs)
        if len(self.looked_at) <= self.patience:
            return Unknown("the system is at work on it", LATER)
        self.rows = []
        return await super().prove(right, frozen, cut_off=cut_off)


async def begun(folder: Path, system: MemorySystem) -> Board:
    board = Board(folder, NOW, connected(system))
    await board.receive()
    board.hear(verified())
    return board


async def test_a_job_is_ordered_once_and_waited_for_longer_than_any_unproved_call(tmp_path: Path) -> None:
    desk = Desk(patience=40)
    board = await begun(tmp_path, desk)

    await board.run_all(rounds=60)

    assert desk.ordered == 1
    assert set(desk.looked_at) == {(JOB,)}
    assert board.answers[0] == Again(LATER, "the system has taken it on", ambiguous=True)
    assert board.held[KEY].state == "done"
    (fulfilled,) = board.fulfilled
    assert [(one.system, one.erased) for one in fulfilled.systems] == [("desk", 2)]


async def test_the_ids_that_a_call_is_bound_to_do_not_change_by_its_job() -> None:
    frozen = Frozen({"people": ((1,), (2,))})
    told = Frozen(frozen.rows, jobs=(JOB,))

    assert told.digest() == frozen.digest()
    assert Frozen.from_json(told.to_json()) == told
    assert "jobs" not in frozen.to_json()


async def test_a_crash_before_the_job_is_stored_orders_it_again_under_the_same_key(tmp_path: Path) -> None:
    keys: list[str] = []

    class Dying(Desk):
        async def act(
            self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str
        ) -> Outcome:
            keys.append(idempotency_key)
            outcome = await super().act(right, frozen, cut_off=cut_off, idempotency_key=idempotency_key)
            if self.ordered == 1:
                raise Crash
            return outcome

        async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
            if not frozen.jobs:
                return await MemorySystem.prove(self, right, frozen, cut_off=cut_off)
            return await super().prove(right, frozen, cut_off=cut_off)

    desk = Dying(patience=1)
    board = await begun(tmp_path, desk)

    await board.run_all()

    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert board.held[KEY].state == "done"


@pytest.mark.parametrize("stops", [1, 3])
async def test_what_was_done_in_parts_is_counted_whole(tmp_path: Path, stops: int) -> None:
    class Halves(MemorySystem):
        """Does one row at each of the first attempts, and then says that it was interrupted."""

        capabilities = IN_PARTS
        acts = 0

        async def act(
            self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str
        ) -> Outcome:
            self.acts += 1
            if self.acts <= stops:
                self.rows = self.rows[1:] if self.acts == 1 else self.rows
                return Ambiguous("more rows than one attempt has time for", look_again=LATER)
            return await super().act(right, frozen, cut_off=cut_off, idempotency_key=idempotency_key)

    halves = Halves("desk", memory_system("desk").datamap, ROWS)
    board = await begun(tmp_path, halves)

    await board.run_all()

    (fulfilled,) = board.fulfilled
    assert halves.acts == stops + 1
    assert [(one.system, one.erased) for one in fulfilled.systems] == [("desk", 2)]
