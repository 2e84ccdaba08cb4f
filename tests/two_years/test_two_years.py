"""A slice of the two simulated years, and a checker that finds each kind of wrong date that is put before it."""

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from tests.support.domain_driver import DomainDriver
from tests.two_years.calendar_of_trouble import Trouble
from tests.two_years.checker import check
from tests.two_years.counted import NEEDED, SILENT, missing
from tests.two_years.outside import lived
from tests.two_years.persons import RIGHTS, Person, draw
from tests.two_years.run import PACE, live_all
from tests.two_years.shell_driver import ShellDriver
from tests.two_years.told import Fact, Told

SEED = "slice"
EXTENDED, MISSED = "dsar.deadline.extended.v1", "dsar.deadline.missed.v1"
RECEIVED, CLOSED = "dsar.request.received.v1", "dsar.request.closed.v1"
WARNED = "dsar.deadline.approaching.v1"


def test_every_date_of_a_hundred_requests_is_the_one_that_is_worked_out_apart() -> None:
    found = live_all(range(100), SEED)

    assert found.wrong == []
    assert found.dates > 2_500
    assert {name for name in found.counts if name.startswith("asked: ")} == {
        f"asked: {one}" for one in RIGHTS
    }
    assert all(found.counts[name] for name in (EXTENDED, MISSED, CLOSED, WARNED, "closed late"))


@pytest.mark.parametrize("driven_by", [DomainDriver, ShellDriver])
def test_a_case_that_is_written_and_read_each_time_lives_the_same(
    driven_by: type[DomainDriver[Any]],
) -> None:
    numbers = range(100, 120)

    lean, whole = live_all(numbers, SEED), live_all(numbers, SEED, driven_by)

    assert (whole.wrong, whole.counts) == ([], lean.counts)


def test_two_years_in_which_nobody_was_silent_prove_too_little() -> None:
    counts = Counter(dict.fromkeys(NEEDED, 1))

    assert missing(counts) == []
    assert missing(counts - Counter([SILENT, "waited for: mail"])) == ["waited for: mail", SILENT]


@cache
def _found(wanted: str) -> tuple[Person, Told]:
    """The first request of which something of this type was said."""
    trouble = Trouble(SEED)
    for number in range(200):
        person = draw(random.Random(f"{SEED} {number}"))  # noqa: S311 - a simulation
        told = lived(number, person, trouble, PACE)
        if person.right == "delete" and told.all(wanted) and told.all(CLOSED):
            return person, told
    raise AssertionError(f"nobody heard of {wanted}")


def _changed(told: Told, ce_type: str, change: Callable[[dict[str, Any]], None]) -> Told:
    def one(fact: Fact) -> Fact:
        if fact.type != ce_type:
            return fact
        body = json.loads(json.dumps(fact.body))
        change(body)
        return Fact(fact.at, fact.type, json.dumps(body).encode())

    return replace(told, facts=[one(fact) for fact in told.facts])


def _a_day_later(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        *way, last = path
        for name in way:
            body = body[name]
        body[last] = (
            str(date.fromisoformat(body[last]) + timedelta(days=1))
            if len(body[last]) == len("2026-01-01")
            else (datetime.fromisoformat(body[last]) + timedelta(days=1)).isoformat()
        )

    return change


def _negated(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda body: body.update({name: not body[name]})


@pytest.mark.parametrize(
    ("ce_type", "change"),
    [
        *(
            (RECEIVED, _a_day_later("clocks", name, "date"))
            for name in ("acknowledge_by", "respond_by", "extend_to")
        ),
        *((RECEIVED, _a_day_later("clocks", name, "late_from")) for name in ("acknowledge_by", "respond_by")),
        *(
            (RECEIVED, _a_day_later("clocks", name, "legal_latest"))
            for name in ("acknowledge_by", "extend_to")
        ),
        (RECEIVED, _a_day_later("clocks", "verify_by", "date")),
        (RECEIVED, _a_day_later("clocks", "received_on")),
        (EXTENDED, _a_day_later("respond_by", "date")),
        (EXTENDED, _a_day_later("notice_handed_over_at")),
        (WARNED, lambda body: body.update(days_left=body["days_left"] + 1)),
        (WARNED, _a_day_later("due", "date")),
        (MISSED, lambda body: body.update(clock="effective")),
        (CLOSED, _negated("in_time")),
        (CLOSED, _a_day_later("closed_at")),
    ],
)
def test_a_date_that_is_a_day_off_is_found(ce_type: str, change: Callable[[dict[str, Any]], None]) -> None:
    person, told = _found(ce_type)
    assert check(person.right, person.arrives_at, told).wrong == []

    assert check(person.right, person.arrives_at, _changed(told, ce_type, change)).wrong != []


def test_a_miss_that_is_not_stated_or_stated_twice_is_found() -> None:
    person, told = _found(MISSED)
    silent = replace(told, facts=[fact for fact in told.facts if fact.type != MISSED])
    doubled = replace(told, facts=[*told.facts, *told.all(MISSED)])

    for tampered in (silent, doubled):
        assert check(person.right, person.arrives_at, tampered).wrong != []


def test_a_notice_with_another_time_than_the_mail_servers_is_found() -> None:
    person, told = _found(CLOSED)
    mails = [(kind, at + timedelta(minutes=1)) for kind, at in told.mails]

    wrong = check(person.right, person.arrives_at, replace(told, mails=mails)).wrong

    assert "no notice claims a time that it did not have" in wrong
