"""Enforcement failures with vendors: noticed by `habeas vendors classify`, or by waiting for the vendor's word."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from typer.testing import CliRunner

from deploy.cli.main import app
from tests.support.vendor_board import VendorBoard
from tests.support.vendors import a_contract, a_flow, a_vendor


def classified(folder: Path, **changed: Any) -> tuple[int, dict[str, Any]]:
    """What the command says of one vendor, and its exit code."""
    vendor = a_vendor(**changed).model_dump(mode="json", exclude_none=True)
    (folder / "acme-mail.yaml").write_text(yaml.safe_dump(vendor))
    words = ["vendors", "classify", "--vendors", str(folder), "--on", "2026-11-20", "--json"]
    answer = CliRunner().invoke(app, words)
    [found] = json.loads(answer.stdout)
    return answer.exit_code, found


def test_a_vendor_whose_terms_are_all_there_passes(tmp_path: Path) -> None:
    code, found = classified(tmp_path)

    assert (code, found["party"], found["missing"]) == (0, "service_provider", [])


def test_4_honda_and_tractor_supply_had_advertisers_without_terms_and_ours_is_no_service_provider(
    tmp_path: Path,
) -> None:
    """CPPA, March and September 2025: advertising companies got data without a contract that the CCPA asks for."""
    code, found = classified(tmp_path, contract=None)

    assert code == 4
    assert found["party"] == "third_party"
    assert len(found["missing"]) == 10


def test_12_sephora_called_a_sale_something_else_and_our_class_goes_by_what_is_given_in_return(
    tmp_path: Path,
) -> None:
    """AG, 2022: data was given for analytics and advertisements, and called no sale."""
    code, found = classified(tmp_path, contract=None, flows=[a_flow("quality", in_return="other_value")])

    assert code == 4
    assert [one["is"] for one in found["disclosures"]] == ["sale"]
    assert "opt_out" in found["told_of"]


def test_13_door_dash_exchanged_data_in_a_cooperative_and_ours_is_a_sale(tmp_path: Path) -> None:
    """AG, 2024: customers' data went into a marketing cooperative, for the others' data in return."""
    flow = a_flow("advertising", in_return="other_value")

    _, found = classified(tmp_path, calls_it="third_party", flows=[flow])

    assert [one["is"] for one in found["disclosures"]] == ["sale"]


def test_14_healthline_assumed_terms_and_ours_count_only_with_their_place_in_the_contract() -> None:
    """AG, July 2025: it was assumed that the other side had signed a framework of the industry."""
    assumed = a_contract()
    assumed["terms"]["no_combining"] = ""

    with pytest.raises(ValidationError, match="no_combining"):
        a_vendor(contract=assumed)


async def test_20_general_motors_passed_data_on_and_our_deletion_waits_for_the_word_of_everybody_who_got_it(
    tmp_path: Path,
) -> None:
    """AG and others, May 2026: driving data was sold, and what was passed on was not called back."""
    board = VendorBoard(tmp_path)
    await board.ask()

    await board.tell()
    await board.has_received()
    assert board.fulfilled == []

    await board.says(board.completed())
    await board.board.run(board.waits())
    assert [one.system for one in board.fulfilled[0].systems] == [board.vendor.name]
