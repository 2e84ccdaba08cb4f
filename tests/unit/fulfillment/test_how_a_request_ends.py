"""Exactly one RequestFulfilled for each received request, in whatever order its facts come."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from services.fulfillment.domain import Catalogue, FulfillmentCase, FulfillmentDomain, SystemEntry
from services.fulfillment.domain.progress import TELL_AFTER
from shared.events.fulfillment import RequestFulfilled, SystemOutcome, TaskSettled, TasksPlanned
from shared.machine.decision import Message
from shared.policy.rights import Right
from tests.support.domain_driver import DomainDriver, Messages
from tests.support.facts import RECEIVED_AT, clocks, closed, extended, received, verified, withdrawn

NOW = RECEIVED_AT + timedelta(hours=2)
RIGHTS = frozenset({Right.DELETE, Right.KNOW_SPECIFIC, Right.KNOW_CATEGORIES})
FLAGS = RIGHTS | {Right.OPT_OUT}


def entry(name: str, rights: frozenset[Right] = RIGHTS, **more: Any) -> SystemEntry:
    return SystemEntry(name=name, business="cascadia", rights=rights, **more)


def driver(*entries: SystemEntry) -> DomainDriver[FulfillmentCase]:
    catalogue = Catalogue(entries or (entry("crm", FLAGS), entry("dms")))
    return DomainDriver(FulfillmentDomain(catalogue), NOW)


def outcome(system: str, word: str = "done", **more: Any) -> dict[str, Any]:
    return SystemOutcome.model_validate({"system": system, "outcome": word, **more}).model_dump(mode="json")


def planned(right: str = "delete") -> DomainDriver[FulfillmentCase]:
    case = driver()
    messages = Messages()
    case.deliver_all([messages.event(received(right), at=NOW), messages.event(verified(right), at=NOW)])
    return case


def ends(case: DomainDriver[FulfillmentCase]) -> list[RequestFulfilled]:
    return case.bodies(RequestFulfilled)


def test_a_verified_request_gets_one_task_for_each_system_that_serves_the_right() -> None:
    case = planned()

    assert sorted(case.tasks) == ["act:crm:delete", "act:dms:delete"]
    assert case.case.open == ("act:crm:delete", "act:dms:delete")
    assert case.bodies(TasksPlanned) == [TasksPlanned(right=Right.DELETE, systems=("crm", "dms"))]
    assert not ends(case)


def test_only_systems_that_the_right_concerns_are_asked() -> None:
    case = planned("opt_out")

    assert sorted(case.tasks) == ["act:crm:opt_out"]


def test_other_businesses_systems_are_never_asked() -> None:
    case = driver(SystemEntry(name="theirs", business="other", rights=FLAGS))
    messages = Messages()

    case.deliver_all([messages.event(received(), at=NOW), messages.event(verified(), at=NOW)])

    assert not case.tasks
    assert ends(case)[0].resolution == "nothing_found"


def test_the_most_urgent_answer_comes_first_and_is_bound_to_the_moment_of_proof() -> None:
    plan = planned().tasks["act:crm:delete"]

    respond_by = clocks().respond_by
    assert respond_by is not None
    assert plan.urgency == respond_by.late_from
    assert plan.body["cut_off"] == (RECEIVED_AT + timedelta(hours=1)).isoformat()
    assert plan.purpose == "act"


def test_what_needs_no_proof_is_bound_to_the_moment_of_receipt() -> None:
    case = driver()
    messages = Messages()
    concluded = verified("opt_out", conclusion="not_needed", method="none", degree="none")

    case.deliver_all([messages.event(received("opt_out"), at=NOW), messages.event(concluded, at=NOW)])

    body = case.tasks["act:crm:opt_out"].body
    assert (body["cut_off"], body["proved"]) == (RECEIVED_AT.isoformat(), False)


def test_an_extension_that_came_before_planning_gives_the_tasks_its_date() -> None:
    case = driver()
    messages = Messages()
    facts = [messages.event(body, at=NOW) for body in (extended(), received(), verified())]

    case.deliver_all(facts)

    extend_to = clocks().extend_to
    assert extend_to is not None
    assert case.tasks["act:crm:delete"].urgency == extend_to.late_from


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_facts_in_any_order_lead_to_the_same_case_and_the_same_tasks(order: Sequence[int]) -> None:
    messages = Messages()
    facts = [messages.event(body, at=NOW) for body in (received(), verified(), extended())]
    straight, other = driver(), driver()

    straight.deliver_all([facts[2], facts[0], facts[1]])
    other.deliver_all([facts[index] for index in order])

    assert other.case == straight.case
    assert sorted(other.tasks) == sorted(straight.tasks)


def test_every_message_twice_changes_nothing_more() -> None:
    messages = Messages()
    facts: list[Message] = [messages.event(body, at=NOW) for body in (received(), verified())]
    once, twice = driver(), driver()

    once.deliver_all(facts)
    twice.deliver_all([each for fact in facts for each in (fact, fact)])
    for case in (once, twice, twice):
        case.finish("act:crm:delete", outcome=outcome("crm"))
        case.finish("act:dms:delete", outcome=outcome("dms"))

    assert once.case == twice.case
    assert len(ends(twice)) == 1


@pytest.mark.parametrize("last", ["act:crm:delete", "act:dms:delete"])
def test_two_last_tasks_that_finish_together_end_the_request_once(last: str) -> None:
    case = planned()
    first = next(key for key in case.tasks if key != last)

    case.finish(first, outcome=outcome(first.split(":")[1], erased=2))
    assert not ends(case)
    case.finish(last, outcome=outcome(last.split(":")[1], erased=1))
    case.finish(first, outcome=outcome(first.split(":")[1], erased=2))

    assert [end.resolution for end in ends(case)] == ["complete"]
    assert [system.system for system in ends(case)[0].systems] == ["crm", "dms"]
    assert not case.bodies(TaskSettled)


def test_a_system_that_is_done_long_before_the_others_is_told_of_once() -> None:
    case = planned()
    case.finish("act:crm:delete", outcome=outcome("crm", erased=2))

    case.pass_time(NOW + TELL_AFTER - timedelta(seconds=1))
    assert not case.bodies(TaskSettled)
    case.pass_time(NOW + TELL_AFTER + timedelta(days=1))
    case.finish("act:dms:delete", outcome=outcome("dms"))

    assert [told.settled.system for told in case.bodies(TaskSettled)] == ["crm"]
    assert len(ends(case)) == 1
    assert case.wake_at is None


def test_what_comes_meanwhile_does_not_put_off_what_is_to_be_told() -> None:
    case = planned()
    case.finish("act:crm:delete", outcome=outcome("crm", erased=2))
    waits_for = case.wake_at

    case.deliver(Messages().event(extended(), at=NOW))

    assert case.wake_at == waits_for == NOW + TELL_AFTER


@pytest.mark.parametrize(
    ("crm", "dms", "resolution", "ground"),
    [
        (outcome("crm"), outcome("dms"), "complete", None),
        (outcome("crm"), outcome("dms", "nothing"), "complete", None),
        (outcome("crm", "nothing"), outcome("dms", "nothing"), "nothing_found", None),
        (
            outcome("crm"),
            outcome("dms", retained=[{"dataset": "sales", "exemption": "105(d)(8)", "count": 2}]),
            "partial",
            "exemption",
        ),
    ],
)
def test_the_resolution_is_what_the_outcomes_add_up_to(
    crm: dict[str, Any], dms: dict[str, Any], resolution: str, ground: str | None
) -> None:
    case = planned()

    case.finish("act:crm:delete", outcome=crm)
    case.finish("act:dms:delete", outcome=dms)

    assert [(end.resolution, end.ground) for end in ends(case)] == [(resolution, ground)]


def test_who_is_not_verified_is_denied_without_any_task() -> None:
    case = driver()
    messages = Messages()

    failed = verified(conclusion="failed", reason="no_valid_answer")
    case.deliver_all([messages.event(failed, at=NOW), messages.event(received(), at=NOW)])

    assert not case.tasks
    assert [(end.resolution, end.ground) for end in ends(case)] == [("denied", "identity_not_verified")]


def test_a_right_that_no_machine_does_is_a_persons_work_at_every_system() -> None:
    case = planned("correct")

    assert sorted(case.tasks) == ["act:crm:correct", "act:dms:correct"]


def test_the_claims_are_kept_sealed_and_never_in_the_case() -> None:
    case = planned()

    assert case.kept["claims"].sealed == "c2VhbGVk"
    assert "c2VhbGVk" not in case.case.model_dump_json()


def test_a_closed_request_stays_closed_whatever_comes() -> None:
    case = driver()
    messages = Messages()
    case.deliver_all([messages.event(body, at=NOW) for body in (received(), withdrawn())])

    case.deliver_all([messages.event(closed(), at=NOW), messages.event(verified(), at=NOW)])

    assert case.is_closed
    assert not case.tasks
    assert len(ends(case)) == 1


def test_a_finished_task_that_nobody_waits_for_changes_nothing() -> None:
    case = planned()
    case.finish("act:crm:delete", outcome=outcome("crm"))
    before = case.case

    case.finish("act:crm:delete", outcome=outcome("crm", "nothing"))

    assert case.case == before
