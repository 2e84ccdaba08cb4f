"""Facts come in any order, twice, and late: the case at rest is the same, and a request closes once."""

import json
from collections.abc import Iterable
from itertools import permutations

import pytest

from services.deadline.domain import CERTIFICATE, DeadlineCase
from shared.events.deadline import DeadlineExtended
from shared.events.message import Event
from shared.machine.decision import Message
from tests.support import facts
from tests.support.watched import Watched

ANSWERED = [
    facts.received(),
    facts.notice_sent("acknowledgement"),
    facts.verified(),
    facts.fulfilled(),
    facts.notice_sent("answer"),
]
WITHDRAWN = [
    facts.received(),
    facts.withdrawn(),
    facts.verified(),
    facts.fulfilled(resolution="withdrawn"),
    facts.notice_sent("withdrawal"),
]
OPTED_OUT = [
    facts.received("opt_out"),
    facts.verified("opt_out", conclusion="not_needed"),
    facts.fulfilled("opt_out"),
    facts.notice_sent("answer"),
    facts.tasks_planned("opt_out"),
]


@pytest.mark.parametrize("told", [ANSWERED, WITHDRAWN, OPTED_OUT], ids=["answered", "withdrawn", "opted out"])
@pytest.mark.parametrize("days", [1, 50], ids=["in time", "after an outage"])
def test_every_order_leads_to_the_same_case_and_one_closing(told: list[Event], days: float) -> None:
    cases = {_at_rest(watched) for watched in _told_in_every_order(told, days)}

    assert len(cases) == 1


def test_every_order_is_certified_in_the_same_words() -> None:
    said = set()
    for watched in _told_in_every_order(ANSWERED, 1):
        payload = json.loads(str(watched.driver.tasks[CERTIFICATE].body["payload"]))
        # Our own chain tells in which order we heard; what we heard does not depend on it.
        del payload["chain_heads"]["deadline"]
        said.add(json.dumps(payload, sort_keys=True))

    assert len(said) == 1


@pytest.mark.parametrize("answer_first", [True, False])
def test_an_extension_and_a_late_answer_in_every_order_are_in_time(*, answer_first: bool) -> None:
    cases = set()
    for order in permutations(range(4)):
        watched = Watched()
        watched.hear_in_time()
        watched.pass_until(watched.at(days=36))
        watched.ask_extension()
        watched.pass_until(watched.due.late_from + (watched.at(days=0.5) - watched.at(days=0)))
        told = _late_answer(watched, answer_first=answer_first)

        for turn in order:
            watched.driver.deliver(told[turn])
            watched.driver.deliver(told[turn])
        watched.read_back_extension()

        assert len(watched.driver.bodies(DeadlineExtended)) == 1
        assert [closed.in_time for closed in watched.closings] == [True]
        cases.add(_at_rest(watched))
    assert len(cases) == 1


def _late_answer(watched: Watched, *, answer_first: bool) -> list[Message]:
    answer = facts.notice_sent("answer", watched.due.late_from)
    extension = facts.notice_sent("extension", watched.at(days=37))
    journal = [answer, extension] if answer_first else [extension, answer]
    told = [*journal, facts.verified(), facts.fulfilled()]
    return [watched.messages.event(body, at=watched.driver.now) for body in told]


def _told_in_every_order(told: list[Event], days: float) -> Iterable[Watched]:
    for order in permutations(range(len(told))):
        watched = Watched()
        watched.driver.now = watched.at(days=days)
        messages = [watched.messages.event(body, at=watched.driver.now) for body in told]
        for turn in order:
            watched.driver.deliver(messages[turn])
            watched.driver.deliver(messages[turn])
        assert len(watched.closings) == 1
        yield watched


def _at_rest(watched: Watched) -> str:
    """The case without what may differ: the digest covers our own chain's head, which is made of the order."""
    case: DeadlineCase = watched.case
    assert case.closing is not None
    closing = case.closing.model_copy(update={"evidence_digest": ""})
    return case.model_copy(update={"closing": closing}).model_dump_json()
