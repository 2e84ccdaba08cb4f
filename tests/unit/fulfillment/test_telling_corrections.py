"""Corrections go to those who hold data for the business, with what is wrong and what it should be (11 CCR 7023(c))."""

from pathlib import Path

from shared.events.vendors import CorrectionDirective
from shared.privacy import Claims
from shared.privacy.claims import Correction
from tests.support.vendor_board import VendorBoard
from tests.support.vendors import a_flow, classed

WRONG = (Correction(what="street", should_be="12 Analytical Way"),)


async def test_7023_f_a_statement_of_dispute_goes_with_the_correction(tmp_path: Path) -> None:
    disputed = {"what": "blood type", "should_be": "0-", "evidence": "a card", "statement": "Tested twice."}
    board = VendorBoard(tmp_path, [classed("service_provider")], right="correct")
    corrections = (Correction.model_validate(disputed),)
    await board.ask(Claims(email="Ada.Canary@example.com", corrections=corrections))

    await board.board.run("act:acme-mail:correct")

    assert board.opened()["corrections"] == [disputed]
    assert "Tested" not in repr(corrections)


async def test_7023_c_corrections_go_to_those_who_hold_data_for_us_with_what_is_wrong(tmp_path: Path) -> None:
    vendors = [
        classed("third_party", vendor="third"),
        classed("contractor", vendor="contractor"),
        classed("service_provider"),
    ]
    board = VendorBoard(tmp_path, vendors, right="correct")
    await board.ask(Claims(email="Ada.Canary@example.com", corrections=WRONG))

    await board.board.run("act:acme-mail:correct")

    assert sorted(board.board.driver.tasks)[:2] == ["act:acme-mail:correct", "act:contractor:correct"]
    assert "act:third:correct" not in board.board.driver.tasks
    [directive] = board.directives
    assert isinstance(directive, CorrectionDirective)
    opened = board.opened()
    assert opened["right"] == "correct"
    assert opened["corrections"] == [{"what": "street", "should_be": "12 Analytical Way"}]
    assert "Analytical" not in directive.model_dump_json()


async def test_a_correction_that_does_not_say_what_is_wrong_is_a_persons_to_pass_on(tmp_path: Path) -> None:
    board = VendorBoard(tmp_path, [classed("service_provider")], right="correct")
    await board.ask(Claims(email="Ada.Canary@example.com"))

    await board.board.run("act:acme-mail:correct")

    assert board.directives == []
    assert board.board.held["act:acme-mail:correct"].state == "needs_person"


DISPUTED = Correction(what="blood type", should_be="0-", statement="Tested twice.")


async def test_7023_f_3_who_gets_what_may_be_of_health_is_told_of_the_statement_and_of_nothing_else(
    tmp_path: Path,
) -> None:
    third = classed("third_party", flows=[a_flow("own_purposes", data=["sensitive"])])
    board = VendorBoard(tmp_path, [third], right="correct")
    await board.ask(Claims(email="Ada.Canary@example.com", corrections=(*WRONG, DISPUTED)))

    await board.board.run("act:acme-mail:correct")

    assert board.opened()["corrections"] == [
        {"what": "blood type", "should_be": "0-", "statement": "Tested twice."}
    ]


async def test_a_third_party_hears_nothing_of_a_correction_without_a_statement(tmp_path: Path) -> None:
    third = classed("third_party", flows=[a_flow("own_purposes", data=["sensitive"])])
    board = VendorBoard(tmp_path, [third], right="correct")
    await board.ask(Claims(email="Ada.Canary@example.com", corrections=WRONG))

    await board.board.run("act:acme-mail:correct")

    assert board.directives == []
    assert board.board.held["act:acme-mail:correct"].state == "done"


async def test_a_third_party_that_never_got_anything_sensitive_hears_of_no_dispute(tmp_path: Path) -> None:
    board = VendorBoard(
        tmp_path, [classed("third_party"), classed("contractor", vendor="contractor")], right="correct"
    )
    await board.ask(Claims(email="Ada.Canary@example.com", corrections=(DISPUTED,)))

    assert "act:acme-mail:correct" not in board.board.driver.tasks
    assert "act:contractor:correct" in board.board.driver.tasks
