"""What a vendor says counts once, in order, for its own directives, under its own signature; else nothing moves."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared.events.commands import CompleteTask
from shared.events.envelope import Unreadable
from shared.events.journal import command_answer
from shared.events.message import Command
from shared.machine.admission import Admission
from shared.machine.incoming import to_incoming
from shared.signing import KeyRing
from tests.support.domain_driver import REQUEST
from tests.support.facts import closed, withdrawn
from tests.support.vendor_at_work import VendorAtWork, read
from tests.support.vendor_board import ADVERTISING, NOW, VendorBoard
from tests.support.vendors import classed

STRANGE = UUID("00000000-0000-4000-8000-0000000000ff")
REFUSED = type(command_answer("fulfillment", command_id=STRANGE, source="s", ce_type="t", refused="x"))
Say = Callable[[VendorBoard], Command]


@pytest.fixture
async def told(tmp_path: Path) -> VendorBoard:
    """A deletion that two vendors were told of; the first of them speaks unless a test says otherwise."""
    board = VendorBoard(
        tmp_path, [classed("third_party", flows=[ADVERTISING]), classed("contractor", vendor="post-house")]
    )
    VendorAtWork("post-house").publish(board.folder)
    await board.ask()
    await board.board.run("act:post-house:delete")
    await board.tell()
    return board


async def refused(board: VendorBoard, body: Command, **wrong: Any) -> str | None:
    """The reason; and nothing has moved but the refusal that is stated."""
    before, said = board.board.case, len(board.board.driver.sent)
    reason = await board.says(body, **wrong)
    assert board.board.case == before
    [answer] = [one.body for one in board.board.driver.sent[said:]]
    assert isinstance(answer, REFUSED)
    assert answer.model_dump()["reason"] == reason
    return reason


@pytest.mark.parametrize(
    "wrong",
    [
        {"signs": KeyRing.generate()},
        {"signature": None},
        {"signature": "eyJhbGciOiJub25lIn0.."},
        {
            "value": b'{"directive_id":"00000000-0000-4000-8000-0000000000ff","received_at":"2026-02-02T19:00:00Z"}'
        },
    ],
    ids=["a strangers key", "no signature", "no algorithm", "other bytes"],
)
async def test_what_the_vendor_did_not_sign_is_refused(told: VendorBoard, wrong: dict[str, Any]) -> None:
    assert await refused(told, told.received(), **wrong) == "signature_invalid"


async def test_a_signature_counts_for_its_own_request_message_and_type_alone(told: VendorBoard) -> None:
    good = told.vendor.says(told.received(), REQUEST, NOW)
    signature = dict(good.headers)["ce_signature"].decode()

    assert await refused(told, told.received(), signature=signature) == "signature_invalid"


async def test_a_signature_under_a_key_that_the_vendor_took_back_is_refused(told: VendorBoard) -> None:
    old = told.vendor.signs
    told.vendor.signs = KeyRing.generate()
    told.vendor.publish(told.folder)

    assert await refused(told, told.received(), signs=old) == "signature_invalid"
    assert await told.says(told.received()) is None


async def test_while_keys_change_both_of_them_count(told: VendorBoard) -> None:
    old = told.vendor.signs
    told.vendor.signs = old.rotated()
    told.vendor.publish(told.folder)

    assert await told.says(told.received(), signs=old) is None
    assert await told.says(told.completed()) is None


async def test_a_vendor_known_by_its_topic_need_not_sign(tmp_path: Path) -> None:
    how = {"by": "kafka", "identifiers": [{"kind": "email", "form": "raw"}], "answers": {"signed": False}}
    board = VendorBoard(tmp_path, [classed("third_party", told=how)])
    await board.ask()
    await board.tell()

    assert await board.says(board.received(), signature=None) is None


async def test_another_vendors_name_is_refused(told: VendorBoard) -> None:
    assert await refused(told, told.received(), source="vendor/post-house") == "another_vendor"


async def test_who_is_no_vendor_at_all_is_refused_before_the_rules_hear_it(told: VendorBoard) -> None:
    message = read(told.vendor.says(told.received(), REQUEST, NOW, source="upstream/web"))

    assert Admission(lambda _: True)(message) == "source_not_allowed"


async def test_another_vendors_directive_is_refused(told: VendorBoard) -> None:
    others = told.board.case.directive_to("post-house")
    assert others is not None

    assert await refused(told, told.received(others.id)) == "another_vendors_directive"


async def test_an_unknown_directive_is_refused(told: VendorBoard) -> None:
    assert await refused(told, told.received(STRANGE)) == "unknown_directive"


async def test_the_same_message_again_is_no_second_one(told: VendorBoard) -> None:
    assert await told.says(told.received(), message_id=STRANGE) is None
    assert await told.says(told.received(), message_id=STRANGE) == "duplicate"


async def test_a_receipt_said_twice_is_refused(told: VendorBoard) -> None:
    await told.has_received()

    assert await refused(told, told.received()) == "already_received"


@pytest.mark.parametrize("say", [VendorBoard.completed, VendorBoard.refused, VendorBoard.received])
async def test_after_the_outcome_nothing_more_is_heard(told: VendorBoard, say: Say) -> None:
    await told.has_received()
    await told.says(told.completed())

    assert await refused(told, say(told)) == "already_settled"


@pytest.mark.parametrize("say", [VendorBoard.completed, VendorBoard.refused])
async def test_an_outcome_before_the_receipt_is_out_of_order(told: VendorBoard, say: Say) -> None:
    assert await refused(told, say(told)) == "out_of_order"


async def test_a_refusal_said_twice_is_refused(told: VendorBoard) -> None:
    await told.has_received()
    await told.says(told.refused())

    assert await refused(told, told.refused()) == "already_refused"


async def test_who_refused_may_still_do_it(told: VendorBoard) -> None:
    await told.has_received()
    await told.says(told.refused())

    assert await told.says(told.completed()) is None


@pytest.mark.parametrize("say", [VendorBoard.completed, VendorBoard.refused, VendorBoard.received])
async def test_once_a_person_has_ended_the_wait_it_is_too_late(told: VendorBoard, say: Say) -> None:
    await told.has_received()
    await told.says(told.refused())
    await told.board.run(told.waits())
    decided = CompleteTask(task=told.waits(), outcome="impossible", actor="desk", reason="they will not")
    assert told.board.order(decided) is None

    assert await refused(told, say(told)) == "late"


@pytest.mark.parametrize("end", [withdrawn, closed], ids=["withdrawn", "closed"])
async def test_for_a_request_that_is_over_it_is_refused(told: VendorBoard, end: Callable[..., Any]) -> None:
    body = told.received()
    told.board.hear(end() if end is closed else end(NOW))
    await told.board.run_all()

    assert await refused(told, body) == "already_ended"


async def test_a_record_without_its_directive_as_the_key_is_a_dead_letter(told: VendorBoard) -> None:
    found = to_incoming(told.vendor.says(told.received(), REQUEST, NOW, key="mine"))

    assert isinstance(found, Unreadable)
    assert (found.reason, found.field) == ("bad_header", "ce_subject")


async def test_a_vendors_clock_moves_nothing_of_ours(told: VendorBoard) -> None:
    body = told.received().model_copy(update={"received_at": NOW + timedelta(days=400)})

    await told.says(body)

    known = told.board.case.directive_to("acme-mail")
    assert known is not None
    assert known.received_at == told.now
