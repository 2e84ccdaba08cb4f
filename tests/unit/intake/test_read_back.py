"""After a restore that lost what came in over HTTP, intake's own topic is the only place that still knows of it."""

from shared.events.intake import RequestReceived
from tests.support import facts
from tests.support.domain_driver import Messages
from tests.support.front_desk import NOW, UPSTREAM, Upstream, driver, http_message, submission


def test_a_request_that_only_its_topic_remembers_goes_on_as_it_was_received() -> None:
    desk, restored = driver(), driver()
    [stated] = desk.deliver(http_message(submission())).bodies(RequestReceived)

    step = restored.deliver(Messages().event(stated, at=NOW))

    forgotten = {"source": "", "fingerprint": ""}
    assert step.case == desk.case.model_copy(update=forgotten)
    assert restored.kept.keys() == {"claims"}
    assert [plan.key for plan in step.tasks] == ["notice:acknowledgement"]
    assert step.bodies(RequestReceived) == []


def test_what_is_known_is_not_received_again() -> None:
    desk = driver()
    [stated] = desk.deliver(http_message(submission())).bodies(RequestReceived)
    before = desk.case

    step = desk.deliver(Messages().event(stated, at=NOW))

    assert (step.case, step.tasks) == (before, ())


def test_a_withdrawal_that_only_its_topic_remembers_counts_from_when_it_was_made() -> None:
    desk, messages = driver(), Messages()
    desk.deliver(messages.event(facts.received("delete", NOW), at=NOW))

    withdrawn = facts.withdrawn()
    step = desk.deliver(messages.event(withdrawn, at=NOW))

    assert step.case.withdrawn_at == withdrawn.withdrawn_at
    assert step.case.state == "withdrawn"


def test_the_submission_of_a_request_that_was_read_back_makes_its_source_known_again() -> None:
    desk = driver()
    desk.deliver(Messages().event(facts.received("delete", NOW), at=NOW))

    step = desk.deliver(Upstream().submits())

    assert step.case.source == UPSTREAM
    assert step.case.fingerprint
    assert step.refusal is None
    assert step.bodies(RequestReceived) == []
