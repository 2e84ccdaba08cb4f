"""A vendor is told once, reminded under the same directive, and its silence becomes a person's task."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from services.fulfillment.domain.fulfillment import HOLD_LOOKED_AT
from shared.events.commands import CompleteTask, PlaceHold, RetryTask
from shared.events.fulfillment import TaskNeedsPerson
from shared.events.vendors import DeletionDirective, OptOutDirective
from shared.machine.decision import Stop, Wait
from shared.privacy import Claims
from tests.support.domain_driver import REQUEST
from tests.support.facts import withdrawn
from tests.support.vendor_board import ADVERTISING, VendorBoard
from tests.support.vendors import classed

EMAIL = hashlib.sha256(b"ada.canary@example.com").hexdigest()


@pytest.fixture
async def asked(tmp_path: Path) -> VendorBoard:
    """A verified deletion, whose one vendor is still to be told."""
    found = VendorBoard(tmp_path)
    await found.ask()
    return found


@pytest.fixture
async def told(asked: VendorBoard) -> VendorBoard:
    """The same, once the vendor was told."""
    await asked.tell()
    return asked


async def to_a_person(board: VendorBoard) -> str:
    """Let the vendor be silent for as long as that is borne; the task that a person gets."""
    for messages in (1, 2, 3):
        board.pass_(days=6)
        await board.board.run(board.waits(messages))
    return board.waits(3)


async def test_a_directive_goes_to_the_vendors_own_topic_and_names_nobody_outside_its_letter(
    told: VendorBoard,
) -> None:
    [sent] = told.sent

    assert sent.row.topic == "dsar.directives.acme-mail"
    assert (sent.row.key, sent.row.sequence) == (str(REQUEST), 1)
    assert b"canary" not in sent.row.value.lower()
    assert EMAIL.encode() not in sent.row.value


async def test_the_letter_is_signed_by_us_and_opened_by_the_vendor_alone(told: VendorBoard) -> None:
    directive, opened = told.directives[0], told.opened()

    assert opened["aud"] == "acme-mail"
    assert opened["jti"] == str(directive.directive_id)
    assert opened["right"] == "delete"
    assert opened["identifiers"] == [{"kind": "email", "form": "sha256", "value": EMAIL}]
    with pytest.raises(AssertionError, match="foreign_key"):
        type(told.vendor)().opens(directive.letter, told.board.keys.directives().public())


@pytest.mark.parametrize(
    ("identifiers", "named"),
    [
        ([{"kind": "email", "form": "raw"}], [("email", "raw", "Ada.Canary@example.com")]),
        (
            [{"kind": "phone", "form": "sha256"}, {"kind": "email", "form": "raw"}],
            [
                ("phone", "sha256", hashlib.sha256(b"14155550100").hexdigest()),
                ("email", "raw", "Ada.Canary@example.com"),
            ],
        ),
        ([{"kind": "customer_id", "form": "vendor_id"}], [("vendor_id", "vendor_id", "C-7")]),
    ],
)
async def test_a_person_is_named_in_the_forms_that_the_vendor_asks_for(
    tmp_path: Path, identifiers: list[dict[str, str]], named: list[tuple[str, ...]]
) -> None:
    how = {"by": "kafka", "identifiers": identifiers}
    board = VendorBoard(tmp_path, [classed("third_party", told=how, flows=[ADVERTISING])], right="opt_out")
    await board.ask(Claims(email="Ada.Canary@example.com", phone="+14155550100", customer_id="C-7"))

    await board.tell()

    assert [
        tuple(one[part] for part in ("kind", "form", "value")) for one in board.opened()["identifiers"]
    ] == named


async def test_a_deletion_names_nobody_by_what_was_not_proved(tmp_path: Path) -> None:
    how = {"by": "kafka", "identifiers": [{"kind": "phone", "form": "raw"}]}
    board = VendorBoard(tmp_path, [classed("third_party", told=how)])
    await board.ask()

    await board.board.run(board.first)

    assert board.directives == []
    assert [one.outcome for one in board.fulfilled[0].systems] == ["nothing"]


async def test_opt_outs_go_to_third_parties_alone(tmp_path: Path) -> None:
    vendors = [classed("third_party", flows=[ADVERTISING]), classed("contractor", vendor="post-house")]
    board = VendorBoard(tmp_path, vendors, right="opt_out")
    await board.ask()

    assert list(board.board.driver.tasks) == ["act:acme-mail:opt_out"]
    assert isinstance(await board.tell(), OptOutDirective)


async def test_deletions_go_to_contractors_service_providers_and_third_parties(tmp_path: Path) -> None:
    vendors = [
        classed("third_party", vendor="third"),
        classed("contractor", vendor="contractor"),
        classed("service_provider", vendor="provider"),
    ]
    board = VendorBoard(tmp_path, vendors)
    await board.ask()

    assert sorted(board.board.driver.tasks) == [
        "act:contractor:delete", "act:provider:delete", "act:third:delete",
    ]  # fmt: skip


async def test_a_request_ends_when_its_vendor_has_done_it(told: VendorBoard) -> None:
    await told.has_received()
    assert told.fulfilled == []

    assert await told.says(told.completed()) is None
    await told.board.run(told.waits())

    [ended] = told.fulfilled
    assert ended.resolution == "complete"
    assert [(one.system, one.title, one.outcome) for one in ended.systems] == [
        ("acme-mail", "Acme Mail", "done")
    ]
    assert ended.systems[0].receipt_digest is not None
    assert told.board.case.directives == ()


async def test_a_vendor_that_held_nothing_leaves_nothing_found(told: VendorBoard) -> None:
    await told.has_received()
    await told.says(told.completed(held=False))
    await told.board.run(told.waits())

    assert told.fulfilled[0].resolution == "nothing_found"


async def test_until_its_receipt_is_due_a_vendor_is_left_in_peace(told: VendorBoard) -> None:
    assert await told.board.run(told.waits()) == "queued"

    told.pass_(days=3)
    await told.board.run(told.waits())

    assert [one.message for one in told.directives] == [1, 2]


async def test_after_its_receipt_only_the_outcome_is_waited_for(told: VendorBoard) -> None:
    await told.has_received()
    told.pass_(days=5)

    assert await told.board.run(told.waits()) == "queued"
    assert told.board.held[told.waits()].run_at == told.directives[0].due_at


async def test_a_reminder_is_a_new_message_about_the_same_directive(told: VendorBoard) -> None:
    told.pass_(days=3)
    await told.board.run(told.waits())

    first, second = told.directives
    assert isinstance(second, DeletionDirective)
    assert (second.directive_id, second.due_at, second.message) == (first.directive_id, first.due_at, 2)
    assert told.opened()["message"] == 2
    assert told.opened()["jti"] == told.opened(0)["jti"]
    assert [one.row.sequence for one in told.sent] == [1, 2]


async def test_silence_after_the_last_reminder_is_a_persons_task(told: VendorBoard) -> None:
    task = await to_a_person(told)

    assert told.board.held[task].state == "needs_person"
    [needs] = told.board.driver.bodies(TaskNeedsPerson)
    assert (needs.system, needs.task, needs.kind) == ("acme-mail", task, "unanswered")
    assert len(told.directives) == 3
    assert told.fulfilled == []


async def test_a_vendors_word_counts_even_once_a_person_was_asked(told: VendorBoard) -> None:
    task = await to_a_person(told)

    await told.has_received()
    assert await told.says(told.completed()) is None
    await told.board.run(task)

    assert told.fulfilled[0].resolution == "complete"


async def test_after_a_restore_a_wait_whose_word_has_come_ends_by_that_word(told: VendorBoard) -> None:
    """`habeas recover` makes every open task ambiguous, and those are run without asking the rules first."""
    task = await to_a_person(told)
    await told.has_received()
    await told.says(told.completed())
    told.board.held[task].state = "ambiguous"

    await told.board.run(task)

    assert told.fulfilled[0].resolution == "complete"
    assert len(told.directives) == 3


async def test_after_a_restore_a_vendor_whose_time_is_not_over_is_not_reminded(told: VendorBoard) -> None:
    told.board.held[told.waits()].state = "ambiguous"

    await told.board.run(told.waits())
    await told.board.run(told.waits())

    assert [one.message for one in told.directives] == [1]
    assert told.fulfilled == []


async def test_a_person_may_have_it_told_once_more(told: VendorBoard) -> None:
    task = await to_a_person(told)

    assert told.board.order(RetryTask(task=task, actor="desk", reason="called them, they look")) is None
    await told.board.run(task)

    assert [one.message for one in told.directives] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("outcome", "resolution", "ground"),
    [
        ("done", "complete", None),
        ("nothing", "nothing_found", None),
        ("impossible", "partial", "vendor_not_done"),
        ("disproportionate", "partial", "vendor_not_done"),
    ],
)
async def test_a_person_may_end_the_wait_by_what_they_found_out(
    told: VendorBoard, outcome: Any, resolution: str, ground: str | None
) -> None:
    task = await to_a_person(told)
    decided = CompleteTask(task=task, outcome=outcome, actor="desk", reason="the vendor was dissolved in May")

    assert told.board.order(decided) is None
    await told.board.run(task)

    [ended] = told.fulfilled
    assert (ended.resolution, ended.ground) == (resolution, ground)
    [named] = ended.vendors
    assert (named.title, named.outcome) == ("Acme Mail", outcome)
    assert named.facts == (decided.reason if ground else None)


async def test_a_person_ends_nothing_that_is_not_theirs(told: VendorBoard) -> None:
    for task, refusal in ((told.waits(), "not_for_a_person"), ("await:other:delete:1", "unknown_task")):
        decided = CompleteTask(task=task, outcome="done", actor="desk", reason="they said so")
        assert told.board.order(decided) == refusal


async def test_a_refusal_is_a_persons_task_at_once(told: VendorBoard) -> None:
    await told.has_received()
    assert await told.says(told.refused()) is None

    await told.board.run(told.waits())

    [needs] = told.board.driver.bodies(TaskNeedsPerson)
    assert (needs.kind, needs.reason) == ("refused", "the vendor refused: not_identified")


async def test_a_withdrawn_request_asks_the_vendor_no_further(told: VendorBoard) -> None:
    told.board.hear(withdrawn(told.now))

    await told.board.run(told.waits())

    assert told.fulfilled[0].resolution == "withdrawn"
    assert [(one.system, one.outcome) for one in told.fulfilled[0].systems] == [("acme-mail", "canceled")]
    assert len(told.directives) == 1


async def test_a_request_taken_back_while_the_letter_was_written_tells_nobody(asked: VendorBoard) -> None:
    asked.board.during_call = lambda: asked.board.hear(withdrawn(asked.now))

    await asked.board.run(asked.first)

    assert asked.directives == []
    assert asked.fulfilled[0].resolution == "withdrawn"


async def test_under_a_hold_no_vendor_is_told_to_delete(asked: VendorBoard) -> None:
    asked.board.order(PlaceHold(hold_id=REQUEST, actor="counsel", reason="litigation"))

    verdict = asked.board.driver.permit(asked.first)

    assert verdict == Wait(asked.now + HOLD_LOOKED_AT, "hold")


@pytest.mark.parametrize("point", ["before_calling", "after_calling", "before_finish"])
async def test_a_process_that_dies_while_it_writes_tells_the_vendor_once(
    asked: VendorBoard, point: str
) -> None:
    asked.board.crash_at = point

    await asked.board.run(asked.first)
    await asked.board.run(asked.first)

    assert [one.message for one in asked.directives] == [1]


async def test_a_vendor_without_a_key_is_told_by_a_person(asked: VendorBoard) -> None:
    (asked.folder / "public/vendors/acme-mail.jwks.json").unlink()

    await asked.board.run(asked.first)

    [needs] = asked.board.driver.bodies(TaskNeedsPerson)
    assert needs.kind == "credentials"
    assert "habeas vendors onboard" in needs.reason


async def test_a_vendor_answers_no_later_than_leaves_time_for_our_own_answer(tmp_path: Path) -> None:
    how = {
        "by": "kafka",
        "identifiers": [{"kind": "email", "form": "raw"}],
        "answers": {"outcome_days": 40, "receipt_days": 30},
    }
    board = VendorBoard(tmp_path, [classed("third_party", told=how)])
    await board.ask()

    directive = await board.tell()

    assert (board.board.case.urgency - directive.due_at).days == 10
    assert directive.receipt_by <= directive.due_at


async def test_eight_vendors_fit_into_a_case(tmp_path: Path) -> None:
    vendors = [classed("third_party", vendor=f"vendor-number-{number}") for number in range(8)]
    board = VendorBoard(tmp_path, vendors)
    for one in vendors:
        type(board.vendor)(one.vendor.vendor).publish(board.folder)
    await board.ask()

    await board.board.run_all(rounds=1)

    assert len(board.directives) == 8
    assert len(json.dumps(board.board.case.model_dump(mode="json", exclude_defaults=True))) < 4096


async def test_what_was_settled_is_stated(told: VendorBoard) -> None:
    await told.has_received()
    await told.says(told.completed())

    assert told.board.driver.permit(told.waits()) == Stop("settled")
    await told.board.run(told.waits())

    [settled] = told.board.case.outcomes
    assert (settled.system, settled.outcome) == ("acme-mail", "done")
