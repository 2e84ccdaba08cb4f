"""The act task: whatever dies or fails, and whenever, there is one effective deletion, and it is proved."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import uuid5

import pytest

from services.fulfillment.ports import (
    Ambiguous,
    Capabilities,
    NeedsPerson,
    Outcome,
    Proof,
    Retry,
    StillPresent,
    Unknown,
)
from shared.events.commands import CompleteTask, PlaceHold, ReleaseHold, RetryTask
from shared.tasks.work import Again
from tests.support.domain_driver import REQUEST
from tests.support.facts import RECEIVED_AT, verified, withdrawn
from tests.support.fulfillment_board import EMAIL, Board, Crash
from tests.support.memory_system import MemorySystem, Row, connected, memory_system, table

NOW = RECEIVED_AT + timedelta(hours=2)
KEY = "act:crm:delete"
ADA = {"email": EMAIL}
HOLD = uuid5(REQUEST, "a hold")


class Deletion:
    """One deletion in one system: a person's row, a sale that must stay, and a stranger."""

    def __init__(self, folder: Path) -> None:
        self.crm = memory_system(
            "crm",
            Row("people", 1, ADA),
            Row("people", 2, {"email": "bob@example.com"}),
            Row("sales", 7, ADA),
            tables=(table(), table("sales", retention="105(d)(8)")),
        )
        self.board = Board(folder, NOW, connected(self.crm))

    async def begin(self) -> "Deletion":
        await self.board.receive()
        self.board.hear(verified())
        return self

    def system_troubles(self, verb: str, *answers: Outcome | Proof) -> None:
        self.crm.before[verb].extend(partial(_same, answer) for answer in answers)


def _same(answer: Outcome | Proof) -> Outcome | Proof:
    return answer


@pytest.fixture
async def deletion(tmp_path: Path) -> Deletion:
    return await Deletion(tmp_path).begin()


def left(crm: MemorySystem) -> list[tuple[str, int]]:
    return [(row.table, row.key) for row in crm.rows]


def proved_once(deletion: Deletion) -> None:
    """What must hold at the end of every deletion."""
    assert left(deletion.crm) == [("people", 2), ("sales", 7)]
    assert len(deletion.crm.effective()) == 1
    assert deletion.crm.ledger[-1].verb == "prove"
    end = deletion.board.fulfilled
    assert [(each.resolution, each.ground) for each in end] == [("partial", "exemption")]
    system = end[0].systems[0]
    assert (system.erased, [(kept.exemption, kept.count) for kept in system.retained]) == (
        1,
        [("105(d)(8)", 1)],
    )
    assert system.receipt_digest


async def test_it_finds_acts_and_proves(deletion: Deletion) -> None:
    await deletion.board.run_all()

    proved_once(deletion)
    assert [call.verb for call in deletion.crm.ledger] == ["find", "act", "prove"]


@pytest.mark.parametrize("point", ["before_calling", "after_calling", "before_finish"])
async def test_a_crash_anywhere_leaves_one_effective_deletion(deletion: Deletion, point: str) -> None:
    deletion.board.crash_at = point

    await deletion.board.run_all()

    proved_once(deletion)


async def test_a_crash_between_the_effect_and_its_answer_is_settled_by_proof_alone(
    deletion: Deletion,
) -> None:
    def die() -> Outcome:
        raise Crash

    deletion.crm.after["act"].append(die)
    await deletion.board.run_all()

    proved_once(deletion)
    assert [call.verb for call in deletion.crm.ledger] == ["find", "act", "prove"]


async def test_a_timeout_after_the_effect_is_not_repeated(deletion: Deletion) -> None:
    def late() -> Outcome:
        raise TimeoutError

    deletion.crm.after["act"].append(late)
    await deletion.board.run_all()

    proved_once(deletion)
    assert deletion.board.answers[0] == Again(timedelta(seconds=2), "TimeoutError", ambiguous=True)


async def test_an_adapter_that_hangs_is_given_up_before_the_lease_ends(
    deletion: Deletion, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object, **__: object) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr("services.fulfillment.acting.ADAPTER_SECONDS", 0.01)
    monkeypatch.setattr(deletion.crm, "act", hang)

    assert await deletion.board.run(KEY) == "ambiguous"


async def test_an_ambiguous_answer_is_proved_and_asked_again_under_the_same_key(deletion: Deletion) -> None:
    deletion.system_troubles("act", Ambiguous("the answer to COMMIT was lost"))
    await deletion.board.run(KEY)
    first = deletion.board.held[KEY]
    bound = (first.frozen, first.frozen_id, first.idempotency_key)

    await deletion.board.run_all()

    proved_once(deletion)
    assert (first.frozen, first.frozen_id, first.idempotency_key) == bound
    assert deletion.crm.effective()[0].idempotency_key == bound[2]


async def test_what_came_after_the_first_call_is_never_touched(deletion: Deletion) -> None:
    deletion.system_troubles("act", Ambiguous("unknown"))
    await deletion.board.run(KEY)

    deletion.crm.rows.append(Row("people", 9, ADA, created_at=NOW + timedelta(days=1)))
    await deletion.board.run_all()

    assert ("people", 9) in left(deletion.crm)
    assert deletion.board.fulfilled[0].systems[0].erased == 1


async def test_a_refused_connection_is_tried_again_later_and_counts_as_nothing_done(
    deletion: Deletion,
) -> None:
    deletion.system_troubles("find", Retry(timedelta(seconds=30), "away"))
    deletion.system_troubles("act", Retry(timedelta(seconds=30), "busy"))

    assert await deletion.board.run(KEY) == "queued"
    assert await deletion.board.run(KEY) == "queued"
    assert deletion.board.answers == [
        Again(timedelta(seconds=30), "away"),
        Again(timedelta(seconds=30), "busy"),
    ]
    await deletion.board.run_all()

    proved_once(deletion)


async def test_an_effect_that_shows_late_is_waited_for_and_not_repeated(deletion: Deletion) -> None:
    deletion.system_troubles("prove", StillPresent(1), Unknown("the replica is behind"))

    await deletion.board.run(KEY)
    assert deletion.board.held[KEY].state == "ambiguous"
    await deletion.board.run(KEY)
    assert deletion.board.held[KEY].state == "ambiguous"
    await deletion.board.run_all()

    proved_once(deletion)


async def test_what_can_never_be_read_back_comes_to_a_person(deletion: Deletion) -> None:
    deletion.system_troubles("prove", *[Unknown("no answer")] * 20)

    await deletion.board.run_all(rounds=30)

    held = deletion.board.held[KEY]
    assert (held.state, held.result) == ("needs_person", {"kind": "unproved", "reason": "no answer"})
    assert not deletion.board.fulfilled


async def test_a_long_outage_before_the_call_does_not_shorten_the_proving(deletion: Deletion) -> None:
    deletion.system_troubles("find", *[Retry(timedelta(seconds=30), "away")] * 30)
    deletion.system_troubles("prove", Unknown("no answer"))

    await deletion.board.run_all(rounds=40)

    proved_once(deletion)


async def test_a_system_that_cannot_be_read_back_is_called_once_and_believed(
    deletion: Deletion, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_once = Capabilities(
        idempotency_key=False, verify=False, naturally_idempotent=False, bounded_by_cutoff=True
    )
    monkeypatch.setattr(deletion.crm, "capabilities", only_once)

    await deletion.board.run_all()

    assert [call.verb for call in deletion.crm.ledger] == ["find", "act"]
    assert deletion.board.fulfilled[0].resolution == "partial"


@pytest.mark.parametrize(("repeatable", "state"), [(True, "done"), (False, "needs_person")])
async def test_what_may_be_done_and_cannot_be_read_back_is_repeated_only_where_that_is_harmless(
    deletion: Deletion, monkeypatch: pytest.MonkeyPatch, *, repeatable: bool, state: str
) -> None:
    able = Capabilities(
        idempotency_key=repeatable, verify=False, naturally_idempotent=False, bounded_by_cutoff=True
    )
    monkeypatch.setattr(deletion.crm, "capabilities", able)
    deletion.system_troubles("act", Ambiguous("the answer was lost"))

    await deletion.board.run_all()

    assert deletion.board.held[KEY].state == state


async def test_a_person_mends_what_a_task_needs_and_it_goes_on(deletion: Deletion) -> None:
    deletion.system_troubles("act", NeedsPerson("refused", "other rows refer to it"))
    await deletion.board.run_all()
    assert deletion.board.held[KEY].state == "needs_person"

    deletion.board.order(RetryTask(task=KEY, actor="operator", reason="the rows were untied"))
    deletion.board.sync()
    await deletion.board.run_all()

    proved_once(deletion)


async def test_a_doubtful_call_that_can_be_neither_proved_nor_repeated_ends_on_a_person_s_word(
    deletion: Deletion, monkeypatch: pytest.MonkeyPatch
) -> None:
    blind = Capabilities(
        idempotency_key=False, verify=False, naturally_idempotent=False, bounded_by_cutoff=True
    )
    monkeypatch.setattr(deletion.crm, "capabilities", blind)
    deletion.system_troubles("act", Ambiguous("the answer was lost"))
    await deletion.board.run_all()
    assert deletion.board.held[KEY].state == "needs_person"
    calls = len(deletion.crm.ledger)

    word = {"outcome": "done", "actor": "operator", "reason": "seen in its console", "evidence": "SUP-4711"}
    refusal = deletion.board.order(CompleteTask.model_validate({"task": KEY, **word}))
    deletion.board.sync()
    await deletion.board.run_all()

    (ended,) = deletion.board.fulfilled
    (system,) = ended.systems
    assert refusal is None
    assert (ended.resolution, system.outcome, system.evidence) == ("complete", "done", "SUP-4711")
    assert system.receipt_digest
    assert deletion.board.held[KEY].state == "canceled"
    assert deletion.board.held[KEY].result == {"reason": "completed"}
    assert len(deletion.crm.ledger) == calls


async def test_nothing_found_ends_without_a_call(tmp_path: Path) -> None:
    crm = memory_system("crm", Row("people", 2, {"email": "bob@example.com"}))
    board = Board(tmp_path, NOW, connected(crm))
    await board.receive()
    board.hear(verified())

    await board.run_all()

    assert [end.resolution for end in board.fulfilled] == ["nothing_found"]
    assert [call.verb for call in crm.ledger] == ["find"]


async def test_an_unreadable_claim_needs_a_person_and_reaches_no_system(deletion: Deletion) -> None:
    await deletion.board.vault.destroy([REQUEST], "test")

    await deletion.board.run_all()

    assert deletion.board.held[KEY].state == "needs_person"
    assert not deletion.crm.ledger


async def test_nobodys_identity_is_in_what_a_task_leaves(deletion: Deletion) -> None:
    await deletion.board.run_all()

    held = deletion.board.held[KEY]
    seen = f"{held.plan.body} {held.frozen} {held.result} {deletion.board.case.model_dump_json()}"
    assert "canary" not in seen.lower()


async def test_an_opt_out_is_flagged_once_and_proved(tmp_path: Path) -> None:
    crm = memory_system("crm", Row("people", 1, ADA), tables=(table(opt_out=True),))
    board = Board(tmp_path, NOW, connected(crm))
    await board.receive("opt_out")
    board.hear(verified("opt_out", conclusion="not_needed", method="none", degree="none"))

    await board.run_all()

    assert crm.rows[0].opted_out
    assert [(end.resolution, end.systems[0].corrected) for end in board.fulfilled] == [("complete", 1)]


Told = Callable[[Board], None]


def withdraw(board: Board) -> None:
    board.hear(withdrawn())


def place_hold(board: Board) -> None:
    board.order(PlaceHold(hold_id=HOLD, actor="counsel", reason="litigation is expected"))


@pytest.mark.parametrize("told", [withdraw, place_hold])
async def test_no_call_starts_after_a_withdrawal_or_hold_that_came_while_it_searched(
    deletion: Deletion, told: Told
) -> None:
    def meanwhile() -> None:
        told(deletion.board)

    deletion.crm.before["find"].append(meanwhile)
    await deletion.board.run(KEY)
    await deletion.board.run(KEY)

    assert not [call for call in deletion.crm.ledger if call.verb == "act"]
    assert deletion.board.held[KEY].state == ("canceled" if told is withdraw else "queued")


async def test_a_withdrawal_during_the_call_tells_what_was_done(deletion: Deletion) -> None:
    deletion.board.during_call = lambda: withdraw(deletion.board)

    await deletion.board.run_all()

    end = deletion.board.fulfilled
    assert [each.resolution for each in end] == ["withdrawn"]
    assert (end[0].systems[0].outcome, end[0].systems[0].erased) == ("done", 1)


@pytest.mark.parametrize("effect", [True, False])
async def test_a_withdrawal_while_it_is_unknown_settles_it_and_says_which(
    deletion: Deletion, *, effect: bool
) -> None:
    troubles = deletion.crm.after if effect else deletion.crm.before
    troubles["act"].append(lambda: Ambiguous("the answer was lost"))
    await deletion.board.run(KEY)

    withdraw(deletion.board)
    await deletion.board.run_all()

    end = deletion.board.fulfilled
    assert [each.resolution for each in end] == ["withdrawn"]
    assert end[0].systems[0].outcome == ("done" if effect else "canceled")
    assert len(deletion.crm.effective()) == (1 if effect else 0)


async def test_a_hold_while_it_is_unknown_lets_it_be_proved_but_not_repeated(deletion: Deletion) -> None:
    deletion.system_troubles("act", Ambiguous("the answer was lost"))
    await deletion.board.run(KEY)
    place_hold(deletion.board)

    await deletion.board.run_all(rounds=3)
    assert left(deletion.crm)[0] == ("people", 1)
    assert not deletion.board.fulfilled
    deletion.board.order(ReleaseHold(hold_id=HOLD, actor="counsel"))
    await deletion.board.run_all()

    proved_once(deletion)
