"""A person is found elsewhere by what the business's own records know them as, and by nothing they merely typed."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

import pytest

from services.fulfillment.ports import NeedsPerson
from shared.privacy import Claims
from tests.support.facts import RECEIVED_AT, verified, withdrawn
from tests.support.fulfillment_board import EMAIL, Board
from tests.support.memory_system import MemorySystem, Row, connected, memory_system, table

NOW = RECEIVED_AT + timedelta(hours=2)
MATCH = "match:crm"
UNPROVED: Final[dict[str, Any]] = {"conclusion": "not_needed", "method": "none", "degree": "none"}


def person(key: int, email: str, customer_id: str) -> Row:
    return Row("people", key, {"email": email, "customer_id": customer_id})


def business(*people: Row) -> tuple[MemorySystem, MemorySystem]:
    """A CRM that knows customer numbers, and a dealer system that finds by nothing else."""
    dealer = (Row("sales", n, {"customer_id": f"number-{n}-of-the-dealer"}) for n in (1, 2, 3))
    crm = memory_system("crm", *people, tables=(table("people", "email", "customer_id"),))
    return crm, memory_system("dms", *dealer, tables=(table("sales", "customer_id"),))


def board_of(folder: Path, crm: MemorySystem, dms: MemorySystem) -> Board:
    return Board(folder, NOW, connected(crm, identity_source=True), connected(dms))


async def test_the_identity_source_is_asked_first_and_what_it_knows_stays_sealed(tmp_path: Path) -> None:
    crm, dms = business(
        person(1, EMAIL, "number-1-of-the-dealer"), person(2, "bob@example.com", "number-2-of-the-dealer")
    )
    board = board_of(tmp_path, crm, dms)
    await board.receive()
    board.hear(verified())

    assert list(board.held) == [MATCH]
    await board.run(MATCH)
    result = board.held[MATCH].result
    assert result is not None
    assert result["kinds"] == ["customer_id"]
    assert "number-1-of-the-dealer" not in str(result)
    await board.run_all()

    assert [row.key for row in dms.rows] == [2, 3]
    assert [row.key for row in crm.rows] == [2]
    assert [end.resolution for end in board.fulfilled] == ["complete"]


async def test_every_account_of_the_person_is_searched_for(tmp_path: Path) -> None:
    crm, dms = business(
        person(1, EMAIL, "number-1-of-the-dealer"), person(3, EMAIL, "number-3-of-the-dealer")
    )
    board = board_of(tmp_path, crm, dms)
    await board.receive()
    board.hear(verified())

    await board.run_all()

    assert [row.key for row in dms.rows] == [2]
    assert {each.system: each.erased for each in board.fulfilled[0].systems} == {"crm": 2, "dms": 2}


@pytest.mark.parametrize(("known", "left"), [(True, [2, 3]), (False, [1, 2, 3])])
async def test_a_customer_number_that_was_only_typed_reaches_nobody(
    tmp_path: Path, *, known: bool, left: list[int]
) -> None:
    crm, dms = business(*([person(1, EMAIL, "number-1-of-the-dealer")] if known else []))
    board = board_of(tmp_path, crm, dms)
    await board.receive(
        claims=Claims(email=EMAIL, customer_id="number-2-of-the-dealer", phone="+15305550142")
    )
    board.hear(verified())

    await board.run_all()

    assert [row.key for row in dms.rows] == left


async def test_an_opt_out_goes_by_whatever_finds_the_record(tmp_path: Path) -> None:
    lists = memory_system("list", Row("people", 1, {"phone": "+15305550142"}), tables=(
        table("people", "phone", opt_out=True),
    ))  # fmt: skip
    board = Board(tmp_path, NOW, connected(lists))
    await board.receive("opt_out", Claims(email=EMAIL, phone="+15305550142"))
    board.hear(verified("opt_out", **UNPROVED))

    await board.run_all()

    assert lists.rows[0].opted_out


@pytest.mark.parametrize(("right", "done"), [("opt_out", True), ("delete", False)])
async def test_a_device_is_believed_of_an_opt_out_and_of_nothing_that_needs_proof(
    tmp_path: Path, right: Literal["opt_out", "delete"], *, done: bool
) -> None:
    site = memory_system("site", Row("browsers", 1, {"device_id": "cookie-1"}), tables=(
        table("browsers", "device_id", opt_out=True),
    ))  # fmt: skip
    board = Board(tmp_path, NOW, connected(site))
    await board.receive(right, Claims(email=EMAIL, device_id="cookie-1"))
    board.hear(verified(right) if right == "delete" else verified(right, **UNPROVED))

    await board.run_all()

    assert len(site.rows) == 1
    assert site.rows[0].opted_out is done


async def test_nobody_needs_matching_where_an_address_is_enough(tmp_path: Path) -> None:
    board = board_of(tmp_path, business()[0], memory_system("mail"))
    await board.receive()

    board.hear(verified())

    assert MATCH not in board.held


async def test_a_person_whom_the_source_does_not_know_is_still_searched_for(tmp_path: Path) -> None:
    board = board_of(tmp_path, *business())
    await board.receive()
    board.hear(verified())

    await board.run_all()

    assert [end.resolution for end in board.fulfilled] == ["nothing_found"]


async def test_more_numbers_than_one_person_has_come_to_a_person(tmp_path: Path) -> None:
    board = board_of(tmp_path, *business(*(person(n, EMAIL, f"number-{n}-of-the-dealer") for n in range(30))))
    await board.receive()
    board.hear(verified())

    await board.run_all()

    assert board.held[MATCH].state == "needs_person"
    assert list(board.held) == [MATCH]


async def test_a_withdrawal_while_the_source_needs_a_person_ends_the_request(tmp_path: Path) -> None:
    crm, dms = business()
    crm.before["find"].append(lambda: NeedsPerson("credentials", "not let in"))
    board = board_of(tmp_path, crm, dms)
    await board.receive()
    board.hear(verified())
    await board.run_all()

    board.hear(withdrawn())
    await board.run_all()

    assert [end.resolution for end in board.fulfilled] == ["withdrawn"]
