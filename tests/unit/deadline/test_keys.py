"""When a request's key goes: by ending, never under a hold, never twice, and stated when it has gone."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from services.deadline.domain import DESTROY_KEY, DeadlineDomain
from shared.events.commands import DestroyRequestKey, HoldRequestKey, ReleaseRequestKey
from shared.events.deadline import RequestKeyDestroyed
from shared.events.fulfillment import HoldPlaced, HoldReleased, Resolution
from shared.events.message import Command
from shared.machine.decision import Context, Go, TaskStatus, Wait
from tests.support import facts
from tests.support.domain_driver import REQUEST, DomainDriver, Messages
from tests.support.watched import Watched

HOLD = UUID("00000000-0000-4000-8000-00000000401d")
PLAN = "a" * 64


def closed(resolution: Resolution = "complete", *, by_itself: bool = True) -> Watched:
    watched = Watched()
    watched.driver = DomainDriver(DeadlineDomain(destroys_by_itself=by_itself), watched.received_at)
    watched.hear_in_time()
    watched.hear(facts.verified())
    watched.hear(facts.fulfilled("delete", resolution))
    watched.notice("answer")
    return watched


def due(watched: Watched) -> datetime:
    assert watched.case.closing is not None
    return watched.case.closing.key_until


def ask(watched: Watched, body: Command) -> str | None:
    return watched.driver.deliver(watched.messages.command(body, at=watched.driver.now)).refusal


def destroyed(watched: Watched, status: TaskStatus = "done") -> list[RequestKeyDestroyed]:
    watched.driver.finish(DESTROY_KEY, status)
    return watched.driver.bodies(RequestKeyDestroyed)


def permit(watched: Watched) -> object:
    return DeadlineDomain().permit(
        watched.case, DESTROY_KEY, "document", Context(watched.driver.now, "", b"")
    )


@pytest.mark.parametrize(("resolution", "days"), [("complete", 35), ("nothing_found", 30), ("denied", 10)])
def test_a_key_is_kept_as_long_as_its_ending_needs_it(resolution: Resolution, days: int) -> None:
    watched = closed(resolution)
    last_day = (facts.RECEIVED_AT + timedelta(days=days + 1)).date()

    assert due(watched).date() == last_day
    watched.pass_until(due(watched) - timedelta(seconds=1))
    assert DESTROY_KEY not in watched.driver.tasks
    watched.pass_until(due(watched))
    assert DESTROY_KEY in watched.driver.tasks


def test_the_destruction_is_stated_once_with_its_ground() -> None:
    watched = closed("denied")
    watched.pass_until(due(watched))

    [fact] = destroyed(watched)

    assert (fact.regime, fact.resolution, fact.due_at, fact.plan) == (
        "us-ca-ccpa",
        "denied",
        due(watched),
        None,
    )
    assert watched.case.key == "destroyed"
    watched.pass_until(watched.at(days=900))
    assert len(watched.driver.bodies(RequestKeyDestroyed)) == 1


def test_a_key_under_a_hold_stays_until_the_last_hold_is_over() -> None:
    watched = closed()
    other = uuid4()
    assert ask(watched, HoldRequestKey(hold_id=HOLD, actor="counsel", reason="litigation 24-118")) is None
    watched.hear(HoldPlaced(hold_id=other))

    watched.pass_until(due(watched) + timedelta(days=400))
    assert DESTROY_KEY not in watched.driver.tasks
    watched.hear(HoldReleased(hold_id=other))
    assert DESTROY_KEY not in watched.driver.tasks

    assert ask(watched, ReleaseRequestKey(hold_id=HOLD, actor="counsel")) is None
    assert DESTROY_KEY in watched.driver.tasks


def test_a_hold_that_was_released_before_it_was_heard_of_is_none() -> None:
    watched = closed()
    watched.hear(HoldReleased(hold_id=HOLD))
    watched.hear(HoldPlaced(hold_id=HOLD))

    watched.pass_until(due(watched))

    assert DESTROY_KEY in watched.driver.tasks


def test_a_hold_that_comes_while_the_vault_is_away_stops_the_call() -> None:
    watched = closed()
    watched.pass_until(due(watched))

    watched.hear(HoldPlaced(hold_id=HOLD))
    assert isinstance(permit(watched), Wait)
    watched.hear(HoldReleased(hold_id=HOLD))

    assert isinstance(permit(watched), Go)
    assert watched.driver.hurried == [DESTROY_KEY]


def test_who_asks_for_a_hold_is_told_when_it_may_be_too_late() -> None:
    watched = closed()
    body = HoldRequestKey(hold_id=HOLD, actor="counsel", reason="litigation 24-118")
    watched.pass_until(due(watched))

    assert ask(watched, body) == "being_destroyed"
    destroyed(watched)
    assert ask(watched, body) == "already_destroyed"
    assert ask(watched, ReleaseRequestKey(hold_id=HOLD, actor="counsel")) == "unknown_hold"


def test_where_a_person_decides_a_key_waits_for_the_order_that_names_its_plan() -> None:
    watched = closed(by_itself=False)
    order = DestroyRequestKey(plan=PLAN, actor="officer")
    assert ask(watched, order) == "key_still_needed"

    watched.pass_until(due(watched) + timedelta(days=10))
    assert DESTROY_KEY not in watched.driver.tasks
    assert ask(watched, order) is None

    [fact] = destroyed(watched)
    assert fact.plan == PLAN
    assert ask(watched, order) == "already_destroyed"


def test_an_order_destroys_nothing_that_is_held_or_not_closed() -> None:
    watched, order = Watched(), DestroyRequestKey(plan=PLAN, actor="officer")
    assert ask(watched, order) == "not_closed"

    watched = closed(by_itself=False)
    ask(watched, HoldRequestKey(hold_id=HOLD, actor="counsel", reason="litigation 24-118"))
    watched.pass_until(due(watched))

    assert ask(watched, order) == "on_hold"
    assert DESTROY_KEY not in watched.driver.tasks


def test_a_hold_that_is_on_no_request_leaves_nothing_open() -> None:
    driver = DomainDriver(DeadlineDomain(), facts.RECEIVED_AT)
    messages = Messages()

    driver.deliver(messages.event(HoldPlaced(hold_id=REQUEST), at=facts.RECEIVED_AT))

    assert driver.is_closed
    assert not driver.case.is_held
    assert driver.wake_at is None
