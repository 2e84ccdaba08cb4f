"""An appeal is decided by a person: granted, what was denied is done; denied, it ends with their reason."""

from datetime import timedelta
from typing import Any
from uuid import uuid5

from services.fulfillment.domain import Catalogue, FulfillmentCase, FulfillmentDomain, SystemEntry
from shared.events.commands import DecideReview
from shared.events.fulfillment import RequestFulfilled, SystemOutcome, TaskNeedsPerson, TasksPlanned
from shared.events.intake import Linked, RequestReceived
from shared.machine.decision import Go, Stop
from shared.policy import Right, load_regime, reckon
from tests.support.domain_driver import REQUEST, DomainDriver, Messages
from tests.support.facts import RECEIVED_AT, received, verified, withdrawn

NOW = RECEIVED_AT + timedelta(hours=2)
FIRST = uuid5(REQUEST, "the denied request")
CRM = "act:crm:delete"


def appeal(kind: str = "appeal") -> RequestReceived:
    """An appeal against a denied deletion in Colorado; or a deletion asked for again."""
    right = Right.APPEAL if kind == "appeal" else Right.DELETE
    clocks = reckon(load_regime("us-co-cpa"), right, RECEIVED_AT)
    linked = Linked.model_validate({"kind": kind, "request_id": FIRST, "right": "delete"})
    more = {"regime": "us-co-cpa", "right": right, "clocks": clocks, "linked": linked}
    return received().model_copy(update=more)


class Appealed:
    """A verified appeal, with one system."""

    def __init__(self, kind: str = "appeal") -> None:
        rights = frozenset({Right.DELETE})
        catalogue = Catalogue([SystemEntry(name="crm", business="cascadia", rights=rights)])
        self.driver: DomainDriver[FulfillmentCase] = DomainDriver(FulfillmentDomain(catalogue), NOW)
        self.messages = Messages()
        fact = appeal(kind)
        self.hear(fact)
        self.hear(verified(fact.right))

    def hear(self, body: Any) -> None:
        self.driver.deliver(self.messages.event(body, at=NOW))

    def decided(self, outcome: str) -> str | None:
        body = DecideReview.model_validate({"outcome": outcome, "actor": "counsel", "reason": "looked at"})
        refusal = self.driver.deliver(self.messages.command(body, at=NOW)).refusal
        if refusal is None:
            assert isinstance(self.driver.permit("review"), Stop)
            self.driver.finish("review", status="canceled")
        return refusal

    @property
    def ends(self) -> list[tuple[str, str, str | None]]:
        return [(end.right, end.resolution, end.ground) for end in self.driver.bodies(RequestFulfilled)]


def test_nothing_is_done_before_a_person_has_decided() -> None:
    appealed = Appealed()

    appealed.driver.finish("review", status="needs_person", kind="decision", reason="an appeal")

    assert appealed.driver.case.open == ("review",)
    assert [one.kind for one in appealed.driver.bodies(TaskNeedsPerson)] == ["decision"]
    assert not appealed.driver.bodies(TasksPlanned)


def test_the_person_reads_which_request_is_appealed_against() -> None:
    words = str(Appealed().driver.tasks["review"].body["words"])

    assert f"delete of request {FIRST}" in words


def test_a_granted_appeal_does_what_was_denied_and_ends_as_that() -> None:
    appealed = Appealed()

    assert appealed.decided("grant") is None
    assert isinstance(appealed.driver.permit(CRM), Go)
    done = SystemOutcome(system="crm", outcome="done", receipt_digest="d" * 64, erased=2)
    appealed.driver.finish(CRM, outcome=done.model_dump(mode="json"))

    assert appealed.ends == [("delete", "complete", None)]


def test_a_denied_appeal_asks_no_system_and_ends_with_the_reason() -> None:
    appealed = Appealed()

    assert appealed.decided("deny") is None

    assert appealed.ends == [("appeal", "denied", "looked at")]
    assert set(appealed.driver.tasks) == {"review"}


def test_an_appeal_that_is_taken_back_needs_no_decision() -> None:
    appealed = Appealed()

    appealed.hear(withdrawn())
    appealed.driver.finish("review", status="canceled")

    assert appealed.ends == [("appeal", "withdrawn", None)]
    assert appealed.decided("grant") == "already_ended"


def test_what_is_asked_again_is_done_like_any_other() -> None:
    assert Appealed("again").driver.case.open == (CRM,)


def test_an_appeal_of_somebody_unverified_is_denied_without_a_decision() -> None:
    catalogue = Catalogue([SystemEntry(name="crm", business="cascadia", rights=frozenset({Right.DELETE}))])
    driver: DomainDriver[FulfillmentCase] = DomainDriver(FulfillmentDomain(catalogue), NOW)
    messages = Messages()

    driver.deliver(messages.event(appeal(), at=NOW))
    driver.deliver(messages.event(verified("appeal", conclusion="failed"), at=NOW))

    [end] = driver.bodies(RequestFulfilled)
    assert (end.resolution, end.ground) == ("denied", "identity_not_verified")
