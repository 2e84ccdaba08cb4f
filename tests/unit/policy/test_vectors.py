"""Every California date that was counted by hand comes out of the policy the same."""

import csv
from datetime import date, datetime
from pathlib import Path

import pytest

from shared.policy import DueDate, compute_clocks, load_regime, parse_right
from shared.policy.dates import add_business_days

CCPA = load_regime("us-ca-ccpa")
Vector = dict[str, str]

with Path(__file__).with_name("vectors.csv").open(encoding="utf-8", newline="") as file:
    VECTORS: list[Vector] = list(csv.DictReader(file))

every_vector = pytest.mark.parametrize("vector", VECTORS, ids=[f"{v['id']}: {v['shows']}" for v in VECTORS])


def _on(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _day(due: DueDate | None) -> date | None:
    return due.date if due else None


def _latest(due: DueDate | None) -> date | None:
    return due.legal_latest if due else None


@every_vector
def test_a_request_is_scheduled_on_the_dates_counted_by_hand(vector: Vector) -> None:
    clocks = compute_clocks(CCPA, parse_right(vector["right"]), datetime.fromisoformat(vector["received_at"]))

    assert clocks.received_on == _on(vector["received_on"])
    assert _day(clocks.acknowledge_by) == _on(vector["acknowledge_by"])
    assert _day(clocks.respond_by) == _on(vector["respond_by"])
    assert _day(clocks.extend_to) == _on(vector["extend_to"])
    assert _day(clocks.effective_by) == _on(vector["effective_by"])


@every_vector
def test_the_latest_lawful_dates_are_kept_apart(vector: Vector) -> None:
    clocks = compute_clocks(CCPA, parse_right(vector["right"]), datetime.fromisoformat(vector["received_at"]))

    assert _latest(clocks.acknowledge_by) == _on(vector["acknowledge_latest"])
    assert _latest(clocks.respond_by) == _on(vector["respond_latest"])
    assert _latest(clocks.effective_by) == _on(vector["effective_latest"])


@every_vector
def test_an_answer_is_late_from_the_midnight_after_its_date(vector: Vector) -> None:
    clocks = compute_clocks(CCPA, parse_right(vector["right"]), datetime.fromisoformat(vector["received_at"]))

    assert clocks.answer_by is not None
    assert clocks.answer_by.late_from == datetime.fromisoformat(vector["late_from"])


@every_vector
def test_the_civil_code_read_literally_gives_the_date_between(vector: Vector) -> None:
    received_on = date.fromisoformat(vector["received_on"])
    days = 10 if vector["acknowledge_by"] else 15
    literally = vector["acknowledge_literally"] or vector["effective_literally"]

    assert add_business_days(received_on, days, CCPA.calendars["civil_code"]) == _on(literally)
