"""Whoever data was sold to or shared with between the request and our compliance is told of it (11 CCR 7026(f)(2)).

What a vendor got is known by dates: a flow's, a contract's, and the day on which its file was changed or taken away.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.fulfillment.domain.catalogue import Span
from services.fulfillment.vendors.classification import Classified, classify
from services.fulfillment.vendors.remembered import Described, with_what_was
from services.fulfillment.vendors.spans import spans_of, told_of_today
from shared.events.fulfillment import TasksPlanned
from shared.policy.rights import Right
from tests.support.facts import RECEIVED_AT
from tests.support.vendor_at_work import VendorAtWork
from tests.support.vendor_board import VendorBoard
from tests.support.vendors import TODAY, a_contract, a_flow, a_vendor, classed

OPT_OUTS = frozenset({Right.OPT_OUT, Right.LIMIT})
ASKED_ON = RECEIVED_AT.date()
BEFORE, AFTER = ASKED_ON - timedelta(days=10), ASKED_ON + timedelta(days=1)
ASKED, NOW = RECEIVED_AT, RECEIVED_AT + timedelta(days=3)


def sharing(**dates: Any) -> dict[str, Any]:
    return a_flow("cross_context_advertising", **{name: day.isoformat() for name, day in dates.items()})


def sold_to(**dates: Any) -> Classified:
    return classed("third_party", flows=[sharing(**dates)])


async def told_of(folder: Path, right: str, *vendors: Classified) -> list[str]:
    """Who gets a directive about a request."""
    board = VendorBoard(folder, vendors, right=right)
    await board.ask()
    return sorted(key.split(":")[1] for key in board.board.driver.tasks if key.startswith("act:"))


async def test_who_was_shared_with_until_after_the_request_is_told_of_the_opt_out(tmp_path: Path) -> None:
    assert await told_of(tmp_path, "opt_out", sold_to(ended_on=AFTER)) == ["acme-mail"]


async def test_who_was_shared_with_on_the_very_day_is_told(tmp_path: Path) -> None:
    assert await told_of(tmp_path, "opt_out", sold_to(ended_on=ASKED_ON)) == ["acme-mail"]


async def test_who_got_nothing_any_more_when_the_request_came_is_not_told_of_the_opt_out(
    tmp_path: Path,
) -> None:
    assert await told_of(tmp_path, "opt_out", sold_to(ended_on=BEFORE)) == []


async def test_7022_b_3_who_was_ever_shared_with_is_told_of_a_deletion(tmp_path: Path) -> None:
    assert await told_of(tmp_path, "delete", sold_to(ended_on=BEFORE)) == ["acme-mail"]


async def test_who_will_get_data_only_later_is_not_told_yet(tmp_path: Path) -> None:
    later = RECEIVED_AT.date() + timedelta(days=30)
    vendor = classed("third_party", flows=[sharing(began_on=later)])

    assert await told_of(tmp_path, "delete", vendor) == []


async def test_who_has_proved_that_everything_is_erased_is_told_of_no_deletion(tmp_path: Path) -> None:
    erased = {"on": BEFORE.isoformat(), "evidence": "letters/2026-004"}
    vendor = classed("third_party", flows=[sharing(ended_on=BEFORE)], erased=erased)

    assert await told_of(tmp_path, "delete", vendor) == []


def test_nobody_has_erased_what_they_still_get() -> None:
    erased = {"on": "2026-05-01", "evidence": "letters/2026-004"}

    with pytest.raises(ValidationError, match="erased: before that every flow has ended"):
        a_vendor("third_party", flows=[sharing()], erased=erased)


def test_a_flow_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValidationError, match="ended_on: before it began"):
        a_vendor("third_party", flows=[sharing(began_on=AFTER, ended_on=BEFORE)])


def test_who_became_a_third_party_only_while_the_request_ran_is_told() -> None:
    """Its contract ended on the day after the request; what it got from then on for value was sold."""
    contract = a_contract(ends_on=ASKED_ON.isoformat(), signed_on="2025-01-01")
    vendor = classed(contract=contract, flows=[a_flow(in_return="money")])

    found = {span for span in spans_of(vendor.vendor) if span.rights >= OPT_OUTS}

    assert Span(frozenset({Right.DELETE, *OPT_OUTS}), ASKED_ON + timedelta(days=1), None) in found
    assert all(not one.concerns(Right.OPT_OUT, ASKED_ON, ASKED_ON) for one in found)
    assert any(one.concerns(Right.OPT_OUT, ASKED_ON, AFTER) for one in found)


async def test_whose_file_was_taken_away_after_the_request_is_told_all_the_same(tmp_path: Path) -> None:
    gone = Described(a_vendor("third_party", flows=[sharing()]), AFTER)

    assert await told_of(tmp_path, "opt_out", *with_what_was([], [gone], NOW.date())) == ["acme-mail"]


async def test_whose_file_was_taken_away_before_is_told_of_deletions_alone(tmp_path: Path) -> None:
    gone = with_what_was([], [Described(a_vendor("third_party", flows=[sharing()]), BEFORE)], NOW.date())

    assert await told_of(tmp_path / "a", "opt_out", *gone) == []
    assert await told_of(tmp_path / "b", "delete", *gone) == ["acme-mail"]


async def test_what_a_file_said_before_it_was_changed_counts_until_that_day(tmp_path: Path) -> None:
    before = Described(a_vendor("third_party", flows=[sharing()]), AFTER)
    now = [classify(a_vendor("third_party"), NOW.date())]

    assert await told_of(tmp_path / "a", "opt_out", *now) == []
    assert await told_of(tmp_path / "b", "opt_out", *with_what_was(now, [before], NOW.date())) == [
        "acme-mail"
    ]


async def test_who_was_added_while_the_request_ran_is_told_before_it_ends(tmp_path: Path) -> None:
    first, second = sold_to(), classed("third_party", vendor="later-ads", flows=[sharing()])
    board = VendorBoard(tmp_path, [first], right="opt_out")
    await board.ask()
    await board.tell()
    await board.has_received()
    await board.says(board.completed())

    board.board.restart([first, second])
    VendorAtWork("later-ads").publish(board.folder)
    await board.board.run(board.waits())

    assert board.fulfilled == []
    plans = board.board.driver.bodies(TasksPlanned)
    assert [one.systems for one in plans] == [("acme-mail",), ("later-ads",)]
    await board.board.run("act:later-ads:opt_out")
    assert [one.vendor for one in board.directives] == ["acme-mail", "later-ads"]


def test_today_an_ended_vendor_is_told_of_deletions_and_no_more() -> None:
    assert told_of_today(sold_to(ended_on=BEFORE), TODAY) == {Right.DELETE}
    assert told_of_today(sold_to(), TODAY) == {Right.DELETE, *OPT_OUTS}
    assert told_of_today(sold_to(began_on=date(2027, 1, 1)), TODAY) == frozenset()
