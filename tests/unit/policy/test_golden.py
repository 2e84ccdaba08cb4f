"""The golden table: each regime's dates, one line per case with its citation, worked out by the checker apart."""

import csv
from datetime import date, datetime
from pathlib import Path

import pytest

from shared.policy import Clocks, Fact, Right, load_regime, parse_right, regime_names
from shared.policy.clockwork.happenings import Event, parse_happening
from shared.policy.clockwork.outlook import look_ahead
from shared.policy.dates import local_date

Case = dict[str, str]
DUES = ("acknowledge", "respond", "extend", "effective")
COLUMNS = {"acknowledge": "acknowledge_by", "respond": "respond_by", "extend": "extend_to"}

with Path(__file__).with_name("golden.csv").open(encoding="utf-8", newline="") as file:
    CASES: list[Case] = list(csv.DictReader(file))

every_case = pytest.mark.parametrize(
    "case", CASES, ids=[f"{one['regime']} {one['right']}: {one['shows']}" for one in CASES]
)


def _clocks(case: Case) -> Clocks:
    regime = load_regime(case["regime"])
    received_at = datetime.fromisoformat(case["received_at"])
    facts = {Fact(name) for name in case["facts"].split()}
    events = [_event(text, case["regime"]) for text in case["events"].split()]
    return look_ahead(regime, parse_right(case["right"]), received_at, facts=facts, events=events).clocks


def _event(text: str, regime: str) -> Event:
    name, _, when = text.partition(":")
    if "T" not in when:
        return Event(parse_happening(name), date.fromisoformat(when))
    at = datetime.fromisoformat(when)
    return Event(parse_happening(name), local_date(at, load_regime(regime).zone), at)


@every_case
def test_a_request_has_the_dates_of_the_golden_table(case: Case) -> None:
    clocks = _clocks(case)

    dues = {name: getattr(clocks, COLUMNS.get(name, "effective_by")) for name in DUES}
    assert str(clocks.received_on) == case["received_on"]
    assert {name: str(due.date) if due else "" for name, due in dues.items()} == {
        name: case[COLUMNS.get(name, "effective_by")] for name in DUES
    }
    assert {name: str(due.legal_latest) if due else "" for name, due in dues.items()} == {
        name: case[f"{name}_latest"] for name in DUES
    }


@every_case
def test_a_request_is_late_from_the_instant_of_the_golden_table(case: Case) -> None:
    clocks = _clocks(case)
    first = clocks.answer_by or clocks.acknowledge_by

    assert (first.late_from if first else None) == (
        datetime.fromisoformat(case["late_from"]) if case["late_from"] else None
    )


def test_every_regime_and_every_californian_right_stands_in_the_table() -> None:
    assert {case["regime"] for case in CASES} == set(regime_names())
    assert {case["right"] for case in CASES if case["regime"] == "us-ca-ccpa"} == {
        str(right) for right in load_regime("us-ca-ccpa").rules.rights
    }


def test_every_line_of_the_table_names_its_source_and_what_it_shows() -> None:
    assert all(case["cite"] and case["shows"] for case in CASES)
    assert {case["right"] for case in CASES} <= {str(right) for right in Right}
