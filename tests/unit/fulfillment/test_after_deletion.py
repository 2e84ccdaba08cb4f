"""What follows the end of a request: who stays suppressed, and looks whether what went stays gone."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.fulfillment.domain import Aftercare, Catalogue, FulfillmentCase, FulfillmentDomain, SystemEntry
from services.fulfillment.domain.aftercare import Suppression
from shared.events.commands import LiftSuppression, RetryTask
from shared.events.fulfillment import (
    FindingAdded,
    OptedInEarly,
    RequestFulfilled,
    SubjectSuppressed,
    SystemOutcome,
)
from shared.machine.decision import Context, Go, Stop, TaskFinished, Wait
from shared.policy import Right, load_regime
from tests.support.domain_driver import REQUEST, DomainDriver, Messages, utc
from tests.support.facts import RECEIVED_AT, REGIME, closed, received, verified, withdrawn

NOW = RECEIVED_AT + timedelta(hours=2)
RIGHTS = frozenset({Right.DELETE, Right.OPT_OUT, Right.KNOW_SPECIFIC})
LOOKS = (("1 hour", timedelta(hours=1)), ("7 days", timedelta(days=7)))
HASH = "1:" + "a" * 64


class Aftermath:
    """One request of a business whose crm can be read back and whose mailer cannot."""

    def __init__(self, right: str = "delete", now: datetime = NOW, **facts: Any) -> None:
        systems = (
            SystemEntry(name="crm", business="cascadia", rights=RIGHTS, proves=True),
            SystemEntry(name="mailer", business="cascadia", rights=RIGHTS),
        )
        domain = FulfillmentDomain(Catalogue(systems), Aftercare({REGIME: LOOKS}))
        self.driver: DomainDriver[FulfillmentCase] = DomainDriver(domain, now)
        self.messages = Messages()
        self.right = right
        self.driver.deliver_all(
            [
                self.messages.event(received(right, now - timedelta(hours=2)), at=now),
                self.messages.event(verified(right, **facts), at=now),
            ]
        )

    def ended(self, erased: int = 3) -> "Aftermath":
        for system in ("crm", "mailer"):
            outcome = SystemOutcome(system=system, outcome="done", erased=erased)
            self.driver.finish(f"act:{system}:{self.right}", outcome=outcome.model_dump(mode="json"))
        assert len(self.driver.bodies(RequestFulfilled)) == 1
        return self

    def suppressed(self, *rights: Right) -> None:
        """The suppress task ended, and the transaction found this to hold."""
        state = Suppression(HASH, "cascadia", rights, NOW, 5)
        key = max(key for key in self.driver.case.later if key.startswith(("suppress", "lift")))
        self.driver.local(_end(self.driver, key), facts=(state,))


def _end(driver: DomainDriver[FulfillmentCase], key: str, **result: Any) -> TaskFinished:
    handler = driver.tasks[key].handler
    return TaskFinished(task_id=REQUEST, key=key, handler=handler, epoch=1, status="done", result=result)


def test_a_deletion_is_looked_at_again_where_it_can_be_read_back() -> None:
    after = Aftermath().ended()

    assert after.driver.case.later == ("recheck:crm:0", "suppress")
    assert after.driver.tasks["recheck:crm:0"].run_at == NOW + timedelta(hours=1)


def test_a_system_that_erased_nothing_is_not_looked_at() -> None:
    assert Aftermath().ended(erased=0).driver.case.later == ("suppress",)


def test_the_looks_count_from_the_end_and_not_from_one_another() -> None:
    after = Aftermath().ended()
    after.driver.now = NOW + timedelta(hours=5)

    after.driver.finish("recheck:crm:0", left=0)

    assert after.driver.tasks["recheck:crm:1"].run_at == NOW + timedelta(days=7)
    after.driver.finish("recheck:crm:1", left=0)
    assert after.driver.case.later == ("suppress",)
    assert not after.driver.bodies(FindingAdded)


def test_what_came_back_is_a_finding_and_a_task_of_its_own() -> None:
    after = Aftermath().ended()

    after.driver.finish("recheck:crm:0", left=2)

    (finding,) = after.driver.bodies(FindingAdded)
    assert (finding.system, finding.kind, finding.look, finding.count) == ("crm", "came_back", "1 hour", 2)
    plan = after.driver.tasks["again:crm:0"]
    assert (plan.handler, plan.purpose, plan.body["earlier"]) == ("act", "act", "act:crm:delete")
    assert after.driver.permit("again:crm:0") == Go()


def test_that_it_was_deleted_again_is_a_finding_with_its_receipt() -> None:
    after = Aftermath().ended()
    after.driver.finish("recheck:crm:0", left=2)
    outcome = SystemOutcome(system="crm", outcome="done", erased=2, receipt_digest="d" * 64)

    after.driver.finish("again:crm:0", outcome=outcome.model_dump(mode="json"))

    finding = after.driver.bodies(FindingAdded)[-1]
    assert (finding.kind, finding.look, finding.count) == ("deleted_again", "1 hour", 2)
    assert finding.receipt_digest == "d" * 64


def test_a_look_that_needs_a_person_can_be_tried_again_though_the_request_is_over() -> None:
    after = Aftermath().ended()
    after.driver.finish("recheck:crm:0", "needs_person", kind="schema", reason="a table is missing")
    assert after.driver.case.stuck == ("recheck:crm:0",)

    retry = RetryTask(task="recheck:crm:0", actor="operator", reason="the map was mended")
    step = after.driver.deliver(after.messages.command(retry, at=NOW))

    assert step.status == "applied"
    assert after.driver.hurried == ["recheck:crm:0"]


def test_who_was_deleted_is_suppressed_once_it_is_done_and_under_the_hash() -> None:
    after = Aftermath().ended()

    after.suppressed(Right.DELETE)

    (sent,) = [one for one in after.driver.sent if isinstance(one.body, SubjectSuppressed)]
    assert (sent.row.topic, sent.row.key, sent.row.request_id) == ("dsar.suppressed", HASH, None)
    assert str(REQUEST) not in str(sent.row.headers)
    assert after.driver.case.suppressed


@pytest.mark.parametrize(
    ("right", "asked_on", "again_from"),
    [
        ("opt_out", "2027-02-01 20:00", "2028-02-01"),
        ("limit", "2027-02-01 20:00", "2028-02-01"),
        ("opt_out_admt", "2027-02-01 20:00", "2028-02-01"),
        ("opt_out", "2028-03-01 07:00", "2029-03-01"),
    ],
    ids=["V30", "limit", "7221(k)", "a leap day in California, though UTC says March"],
)
def test_1798_135_c_4_a_choice_says_until_when_nobody_may_ask_for_another(
    right: str, asked_on: str, again_from: str
) -> None:
    after = Aftermath(right, utc(asked_on), conclusion="not_needed")

    assert after.driver.tasks["suppress"].body["ask_again_from"] == again_from


def test_who_was_deleted_may_be_asked_whatever_anybody_likes_to() -> None:
    assert Aftermath().ended().driver.tasks["suppress"].body["ask_again_from"] is None


def test_the_closing_tells_the_day_anew_for_what_the_transaction_found() -> None:
    after = Aftermath("opt_out", conclusion="not_needed")
    state = Suppression(HASH, "cascadia", (Right.OPT_OUT,), NOW, 6, date(2027, 2, 20))

    after.driver.deliver(after.messages.event(closed("opt_out"), at=NOW), facts=(state,))

    assert [one.ask_again_from for one in after.driver.bodies(SubjectSuppressed)] == [date(2027, 2, 20)]


@pytest.mark.parametrize(("waited", "told"), [("2026-02-03", True), ("2026-02-02", False), (None, False)])
def test_who_opts_in_before_anybody_may_have_asked_them_is_named_and_opted_in_all_the_same(
    waited: str | None,
    told: bool,  # noqa: FBT001 - of this test alone
) -> None:
    after = Aftermath("opt_in", utc("2026-02-02 20:00"), conclusion="not_needed").ended()
    day = date.fromisoformat(waited) if waited else None
    state = Suppression(HASH, "cascadia", (), NOW, 7, waited_until=day)

    after.driver.local(_end(after.driver, "suppress"), facts=(state,))

    named = [one.ask_again_from for one in after.driver.bodies(OptedInEarly)]
    assert named == ([day] if told else [])
    assert [one.row.value for one in after.driver.sent if one.row.topic == "dsar.suppressed"] == [b""]


def test_an_opt_out_is_told_before_its_systems_have_ended() -> None:
    after = Aftermath("opt_out", conclusion="not_needed")

    assert after.driver.case.later == ("suppress",)
    assert after.driver.case.open == ("act:crm:opt_out", "act:mailer:opt_out")


def test_a_person_lifts_what_a_request_suppressed() -> None:
    after = Aftermath().ended()
    after.suppressed(Right.DELETE)
    lift = LiftSuppression(actor="operator", reason="they became a customer again")

    step = after.driver.deliver(after.messages.command(lift, at=NOW))

    assert step.status == "applied"
    assert "lift:1" in after.driver.case.later
    after.suppressed()
    last = after.driver.sent[-1]
    assert (last.row.key, last.row.value) == (HASH, b"")


def test_nothing_is_lifted_that_was_not_suppressed() -> None:
    after = Aftermath().ended()

    lift = LiftSuppression(actor="operator", reason="they became a customer again")

    assert after.driver.deliver(after.messages.command(lift, at=NOW)).refusal == "nothing_suppressed"


def test_an_opt_out_that_was_withdrawn_is_not_remembered() -> None:
    after = Aftermath("opt_out", conclusion="not_needed")
    after.suppressed(Right.OPT_OUT)
    after.driver.deliver(after.messages.event(withdrawn(), at=NOW))

    for system in ("crm", "mailer"):
        after.driver.finish(f"act:{system}:opt_out", "canceled", reason="withdrawn")

    assert after.driver.bodies(RequestFulfilled)[0].resolution == "withdrawn"
    assert after.driver.case.later == ("lift:1",)


def test_a_suppression_that_waits_stops_with_its_request() -> None:
    after = Aftermath("opt_out", conclusion="not_needed")

    after.driver.deliver(after.messages.event(withdrawn(), at=NOW))

    assert after.driver.permit("suppress") == Stop("withdrawn")


def test_without_a_policy_for_it_nothing_follows() -> None:
    domain = FulfillmentDomain(Catalogue([SystemEntry("crm", "cascadia", RIGHTS, proves=True)]))
    driver: DomainDriver[FulfillmentCase] = DomainDriver(domain, NOW)
    messages = Messages()
    driver.deliver_all([messages.event(received(), at=NOW), messages.event(verified(), at=NOW)])

    done = SystemOutcome(system="crm", outcome="done", erased=3).model_dump(mode="json")
    driver.finish("act:crm:delete", outcome=done)

    assert driver.case.later == ()


def test_the_law_s_policy_looks_after_an_hour_a_day_a_week_and_a_month() -> None:
    rules = load_regime(REGIME).rules.rechecks
    assert rules is not None

    assert [words for words, _ in rules.looks()] == ["1 hour", "1 day", "7 days", "30 days"]


def test_a_look_after_the_key_is_gone_is_no_policy() -> None:
    rules = load_regime(REGIME).rules
    assert rules.rechecks is not None
    late = rules.rechecks.model_copy(update={"days": (1, 36)})

    with pytest.raises(ValueError, match="last look must come within"):
        type(rules).model_validate({**dict(rules), "rechecks": late})


def test_what_came_back_stays_under_a_hold() -> None:
    after = Aftermath().ended()
    after.driver.finish("recheck:crm:0", left=2)
    held = after.driver.case.model_copy(update={"placed_holds": (REQUEST,)})

    assert isinstance(after.driver.domain.permit(held, "again:crm:0", "act", Context(NOW, "", b"")), Wait)
