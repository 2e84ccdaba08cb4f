"""A person may deny a request before anything was done, on a ground that is counted; then it ends like any other."""

from datetime import timedelta
from typing import Any

import pytest

from services.deadline.domain import DeadlineDomain
from services.fulfillment.domain import Catalogue, FulfillmentCase, FulfillmentDomain, SystemEntry
from services.intake.notices.wording import wording
from shared.events.commands import DenyRequest
from shared.events.deadline import RequestClosed
from shared.events.fulfillment import RequestFulfilled, TasksPlanned
from shared.events.grounds import BY_A_PERSON
from shared.machine.decision import Stop
from shared.policy.rights import Right
from tests.support.domain_driver import DomainDriver, Messages
from tests.support.facts import RECEIVED_AT, notice_sent, received, verified, withdrawn

NOW = RECEIVED_AT + timedelta(hours=2)
BOTH = frozenset({Right.DELETE, Right.OPT_OUT})
WHY = "no permission came after two reminders"


class Asked:
    """A request before two systems, the first of which knows what the second needs."""

    def __init__(self, *, matches: bool = False) -> None:
        cookie = frozenset({"cookie_id"})
        knows = {"knows": cookie, "identity_source": True} if matches else {}
        entries = [
            SystemEntry(name="accounts", business="cascadia", rights=BOTH, **knows),  # type: ignore[arg-type] # by name
            SystemEntry(
                name="ads", business="cascadia", rights=BOTH, finds_by=cookie if matches else frozenset()
            ),
        ]
        self.driver: DomainDriver[FulfillmentCase] = DomainDriver(FulfillmentDomain(Catalogue(entries)), NOW)
        self.messages = Messages()

    def hear(self, *bodies: Any) -> None:
        for body in bodies:
            self.driver.deliver(self.messages.event(body, at=NOW))

    def denied(self, ground: str = "not_by_the_consumer") -> str | None:
        body = DenyRequest.model_validate({"ground": ground, "actor": "operator-1", "reason": WHY})
        return self.driver.deliver(self.messages.command(body, at=NOW)).refusal

    @property
    def ends(self) -> list[tuple[str, str | None]]:
        return [(end.resolution, end.ground) for end in self.driver.bodies(RequestFulfilled)]


def test_it_ends_at_once_though_nobody_was_verified_yet() -> None:
    asked = Asked()
    asked.hear(received("delete"))

    assert asked.denied() is None

    assert asked.ends == [("denied", f"not_by_the_consumer: {WHY}")]
    asked.hear(verified("delete"))
    assert asked.driver.bodies(TasksPlanned) == []
    assert len(asked.ends) == 1


def test_systems_that_are_only_asked_who_it_is_are_not_asked_any_more() -> None:
    asked = Asked(matches=True)
    asked.hear(received("delete"), verified("delete"))
    assert asked.driver.case.open == ("match:accounts",)

    assert asked.denied("suspected_fraud") is None

    assert asked.driver.hurried == ["match:accounts"]
    assert asked.driver.permit("match:accounts") == Stop("denied")
    assert asked.ends == []
    asked.driver.finish("match:accounts", "canceled", reason="denied")
    assert asked.ends == [("denied", f"suspected_fraud: {WHY}")]


def test_where_a_system_may_have_acted_already_it_is_too_late() -> None:
    asked = Asked()
    asked.hear(received("delete"), verified("delete"))

    assert asked.denied() == "already_acting"
    assert asked.driver.case.denial is None


def test_every_wrong_try_is_refused_in_a_word() -> None:
    unknown, twice, over = Asked(), Asked(matches=True), Asked()
    twice.hear(received("delete"), verified("delete"))
    twice.denied()
    over.hear(received("delete"), withdrawn())

    assert unknown.denied() == "unknown_request"
    assert twice.denied() == "already_decided"
    assert over.denied() == "already_ended"


def test_it_closes_without_a_verification_that_nobody_waits_for() -> None:
    asked = Asked()
    asked.hear(received("delete"))
    asked.denied()
    deadline, heard = DomainDriver(DeadlineDomain(), NOW), Messages()

    for body in (received("delete"), *asked.driver.bodies(RequestFulfilled), notice_sent("denial", NOW)):
        deadline.deliver(heard.event(body, at=NOW))

    assert [one.resolution for one in deadline.bodies(RequestClosed)] == ["denied"]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("ground", sorted(BY_A_PERSON))
def test_the_letter_says_the_ground_in_words_and_why(ground: str, language: Any) -> None:
    said = wording(language).ground(f"{ground}: {WHY}")

    assert said is not None
    assert said.endswith(f"({WHY})")
    assert "_" not in said
