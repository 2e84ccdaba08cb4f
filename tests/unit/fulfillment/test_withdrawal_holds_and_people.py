"""What stops a task, what makes it wait, and what a person may do about it."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest

from services.fulfillment.domain import Catalogue, FulfillmentCase, FulfillmentDomain, SystemEntry
from shared.events.commands import CompleteTask, PlaceHold, ReleaseHold, RetryTask
from shared.events.fulfillment import (
    HoldPlaced,
    HoldReleased,
    RequestFulfilled,
    SystemOutcome,
    TaskNeedsPerson,
)
from shared.events.message import Command
from shared.machine.decision import Go, Stop, Wait
from shared.policy.rights import Right
from tests.support.domain_driver import REQUEST, DomainDriver, Messages
from tests.support.facts import RECEIVED_AT, closed, received, verified, withdrawn

NOW = RECEIVED_AT + timedelta(hours=2)
HOLD = uuid5(REQUEST, "a hold")
CRM, DMS = "act:crm:delete", "act:dms:delete"


class Request:
    """A request that is told one thing after another; verified already, unless a test starts earlier."""

    def __init__(self, right: str = "delete", *, planned: bool = True) -> None:
        rights = frozenset({Right.DELETE, Right.OPT_OUT, Right.KNOW_SPECIFIC})
        names = ("crm", "dms")
        catalogue = Catalogue(SystemEntry(name=name, business="cascadia", rights=rights) for name in names)
        self.driver: DomainDriver[FulfillmentCase] = DomainDriver(FulfillmentDomain(catalogue), NOW)
        self.messages = Messages()
        if planned:
            self.hear(received(right))
            self.hear(verified(right))

    def hear(self, body: Any) -> None:
        self.driver.deliver(self.messages.event(body, at=NOW))

    def told(self, body: Command) -> str | None:
        return self.driver.deliver(self.messages.command(body, at=NOW)).refusal

    def done(self, key: str, word: str = "done") -> None:
        system = SystemOutcome.model_validate({"system": key.split(":")[1], "outcome": word})
        self.driver.finish(key, outcome=system.model_dump(mode="json"))

    @property
    def ends(self) -> list[RequestFulfilled]:
        return self.driver.bodies(RequestFulfilled)


def hold(hold_id: UUID = HOLD) -> PlaceHold:
    return PlaceHold(hold_id=hold_id, actor="counsel", reason="litigation is expected")


def release(hold_id: UUID = HOLD) -> ReleaseHold:
    return ReleaseHold(hold_id=hold_id, actor="counsel")


def retry(task: str = CRM) -> RetryTask:
    return RetryTask(task=task, actor="operator", reason="credentials were renewed")


def test_a_withdrawal_before_anything_ran_ends_as_withdrawn_when_the_last_task_has_stopped() -> None:
    request = Request()

    request.hear(withdrawn())
    assert request.driver.hurried == [CRM, DMS]
    assert request.driver.permit(CRM) == Stop("withdrawn")
    request.driver.finish(CRM, "canceled", reason="withdrawn")
    assert not request.ends
    request.driver.finish(DMS, "canceled", reason="withdrawn")

    assert [end.resolution for end in request.ends] == ["withdrawn"]
    assert {system.outcome for system in request.ends[0].systems} == {"canceled"}


def test_a_withdrawal_says_what_was_done_already() -> None:
    request = Request()
    request.done(CRM)

    request.hear(withdrawn())
    request.done(DMS)  # it had called out and was settled

    assert [end.resolution for end in request.ends] == ["withdrawn"]
    assert [system.outcome for system in request.ends[0].systems] == ["done", "done"]


def test_a_withdrawal_after_the_end_changes_nothing() -> None:
    request = Request()
    request.done(CRM)
    request.done(DMS)

    request.hear(withdrawn())

    assert [end.resolution for end in request.ends] == ["complete"]


def test_a_withdrawal_before_verification_ends_at_once_and_verification_starts_nothing() -> None:
    request = Request(planned=False)

    for body in (received(), withdrawn(), verified()):
        request.hear(body)

    assert [end.resolution for end in request.ends] == ["withdrawn"]
    assert not request.driver.tasks


def test_a_hold_makes_destruction_wait_and_its_release_hurries_it() -> None:
    request = Request()

    assert request.told(hold()) is None
    verdict = request.driver.permit(CRM)
    assert isinstance(verdict, Wait)
    assert verdict.until == NOW + timedelta(hours=1)
    assert request.told(release()) is None

    assert request.driver.permit(CRM) == Go()
    assert request.driver.hurried == [CRM, DMS]


def test_a_hold_is_stated_when_it_comes_into_force_and_when_it_is_over() -> None:
    request = Request()

    for body in (hold(), hold(), release(), release(), hold()):
        request.told(body)

    assert request.driver.bodies(HoldPlaced) == [HoldPlaced(hold_id=HOLD)]
    assert request.driver.bodies(HoldReleased) == [HoldReleased(hold_id=HOLD)]


def test_a_hold_that_was_released_before_it_was_heard_of_was_never_in_force() -> None:
    request = Request()

    request.told(release())
    request.told(hold())

    assert request.driver.permit(CRM) == Go()
    assert not request.driver.bodies(HoldPlaced)
    assert not request.driver.bodies(HoldReleased)


@pytest.mark.parametrize("right", ["opt_out", "know_specific"])
def test_a_hold_does_not_stop_what_destroys_nothing(right: str) -> None:
    request = Request(right)

    request.told(hold())

    assert request.driver.permit(f"act:crm:{right}") == Go()


def test_two_holds_are_over_only_when_both_are_released() -> None:
    request = Request()
    other = uuid5(REQUEST, "another hold")
    request.told(hold())
    request.told(hold(other))

    request.told(release())

    assert isinstance(request.driver.permit(CRM), Wait)
    assert request.driver.hurried == []


def test_a_release_that_is_heard_before_its_hold_still_ends_it() -> None:
    request = Request()

    request.told(release())
    request.told(hold())

    assert request.driver.permit(CRM) == Go()


def test_a_withdrawal_wins_over_a_hold() -> None:
    request = Request()
    request.told(hold())

    request.hear(withdrawn())

    assert request.driver.permit(CRM) == Stop("withdrawn")


def test_a_task_that_needs_a_person_keeps_the_request_open_until_it_is_retried() -> None:
    request = Request()
    request.done(DMS)

    request.driver.finish(CRM, "needs_person", kind="credentials", reason="the database does not let us in")
    assert not request.ends
    assert request.driver.bodies(TaskNeedsPerson) == [
        TaskNeedsPerson(system="crm", task=CRM, kind="credentials", reason="the database does not let us in")
    ]
    assert request.told(retry()) is None
    assert request.driver.hurried == [CRM]
    request.done(CRM)

    assert [end.resolution for end in request.ends] == ["complete"]


def test_a_stuck_task_of_a_withdrawn_request_is_looked_at_at_once() -> None:
    request = Request()
    request.hear(withdrawn())
    request.driver.finish(DMS, "canceled", reason="withdrawn")

    request.driver.finish(CRM, "needs_person", kind="schema", reason="changed")

    assert request.driver.hurried[-1] == CRM
    assert not request.ends


def test_what_may_have_been_done_waits_for_a_person_even_when_withdrawn() -> None:
    request = Request()
    request.hear(withdrawn())
    before = list(request.driver.hurried)

    request.driver.finish(CRM, "needs_person", kind="unproved", reason="it cannot be read back")

    assert request.driver.hurried == before


def test_a_retry_of_no_task_of_this_request_is_refused() -> None:
    assert Request().told(retry("act:erp:delete")) == "unknown_task"


@pytest.mark.parametrize("command", [hold(), release(), retry()])
def test_nothing_can_be_asked_of_a_request_that_has_ended(command: Command) -> None:
    request = Request()
    request.done(CRM)
    request.done(DMS)

    assert request.told(command) == "already_ended"


def test_a_task_of_a_closed_request_must_not_run() -> None:
    request = Request()

    request.hear(closed())

    assert request.driver.permit(CRM) == Stop("closed")


def complete(task: str = CRM, **more: Any) -> CompleteTask:
    said = {"outcome": "done", "actor": "operator", "reason": "seen in its console", "evidence": "SUP-4711"}
    return CompleteTask.model_validate({"task": task, **said, **more})


def test_a_task_that_waits_for_a_person_may_be_completed_by_one_who_names_the_evidence() -> None:
    request = Request()
    request.driver.finish(CRM, "needs_person", kind="unproved", reason="it may have been done")
    request.done(DMS)

    assert request.told(complete()) is None
    assert not request.ends
    request.driver.finish(CRM, "canceled", reason="completed")

    (end,) = request.ends
    assert [(one.system, one.outcome, one.evidence) for one in end.systems] == [
        ("crm", "done", "SUP-4711"),
        ("dms", "done", None),
    ]
    assert request.driver.hurried == [CRM]
    assert request.driver.permit(CRM) == Stop("completed", settled=True)


@pytest.mark.parametrize(
    ("right", "more", "refusal"),
    [
        ("delete", {"evidence": None}, "evidence_missing"),
        ("delete", {"outcome": "impossible"}, "not_for_a_person"),
        ("delete", {"task": DMS}, "not_for_a_person"),
        ("delete", {"task": "act:erp:delete"}, "unknown_task"),
        ("know_specific", {"task": "act:crm:know_specific"}, "not_for_a_person"),
    ],
)
def test_nobody_completes_what_runs_is_unknown_has_no_evidence_or_owes_a_copy(
    right: str, more: dict[str, Any], refusal: str
) -> None:
    request = Request(right)
    request.driver.finish(f"act:crm:{right}", "needs_person", kind="unproved")

    assert request.told(complete(**more)) == refusal
    assert not request.ends


def test_a_request_that_was_taken_back_ends_when_its_doubtful_call_is_completed() -> None:
    request = Request()
    request.driver.finish(CRM, "needs_person", kind="unproved")
    request.hear(withdrawn())
    request.driver.finish(DMS, "canceled", reason="withdrawn")
    assert not request.ends

    request.told(complete())
    assert request.driver.permit(CRM) == Stop("completed", settled=True)
    request.driver.finish(CRM, "canceled", reason="completed")

    assert [end.resolution for end in request.ends] == ["withdrawn"]
    assert {one.system: one.evidence for one in request.ends[0].systems} == {"crm": "SUP-4711", "dms": None}


def test_an_attempt_that_gives_up_after_its_task_was_completed_is_looked_at_once_more() -> None:
    request = Request()
    request.driver.finish(CRM, "needs_person", kind="unproved")
    request.told(complete())
    before, hurried = request.driver.case, len(request.driver.hurried)

    request.driver.finish(CRM, "needs_person", kind="unproved")

    assert request.driver.case == before
    assert request.driver.hurried[hurried:] == [CRM]


def test_a_system_s_own_word_that_comes_after_a_person_s_is_the_one_that_counts() -> None:
    request = Request()
    request.driver.finish(CRM, "needs_person", kind="unproved")
    request.done(DMS)
    request.told(complete())

    request.done(CRM, "nothing")

    (end,) = request.ends
    assert {one.system: (one.outcome, one.evidence) for one in end.systems}["crm"] == ("nothing", None)


@pytest.mark.parametrize("again", [complete, retry])
def test_what_was_completed_needs_no_second_word(again: Any) -> None:
    request = Request()
    request.driver.finish(CRM, "needs_person", kind="unproved")
    request.told(complete())

    refusal = request.told(again())

    assert refusal == ("not_for_a_person" if again is complete else None)
    assert request.driver.permit(CRM) == Stop("completed", settled=True)
