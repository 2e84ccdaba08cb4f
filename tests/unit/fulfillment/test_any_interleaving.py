"""Whatever comes in whatever order, over and over: one RequestFulfilled, and only when no task is open."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.fulfillment.domain import Catalogue, FulfillmentCase, FulfillmentDomain, SystemEntry
from shared.events.commands import DenyRequest, PlaceHold, ReleaseHold, RetryTask
from shared.events.fulfillment import RequestFulfilled, SystemOutcome, TaskSettled
from shared.machine.decision import Message, Stop, TaskStatus
from shared.policy.rights import Right
from tests.support.domain_driver import REQUEST, DomainDriver, Messages
from tests.support.facts import RECEIVED_AT, extended, received, verified, withdrawn

NOW = RECEIVED_AT + timedelta(hours=2)
FIRST = uuid5(REQUEST, "the first request")
HOLD = uuid5(REQUEST, "a hold")
PACKAGE = {"package_id": str(FIRST), "sha256": "a" * 64, "size": 10}
CATALOGUE = (
    SystemEntry(
        "crm",
        "cascadia",
        frozenset({Right.DELETE, Right.KNOW_SPECIFIC, Right.KNOW_CATEGORIES, Right.OPT_OUT}),
        knows=frozenset({"customer_id"}),
        identity_source=True,
    ),
    SystemEntry(
        "dms",
        "cascadia",
        frozenset({Right.DELETE, Right.KNOW_SPECIFIC, Right.KNOW_CATEGORIES}),
        finds_by=frozenset({"customer_id"}),
    ),
    SystemEntry("mail", "cascadia", frozenset({Right.DELETE, Right.OPT_OUT})),
)
CONCLUSIONS = ("verified", "failed", "not_needed", "downgraded")


def new_driver() -> DomainDriver[FulfillmentCase]:
    return DomainDriver(FulfillmentDomain(Catalogue(CATALOGUE)), NOW)


class Interleaving(RuleBasedStateMachine):
    """A request whose facts, commands and tasks' ends come in the order that hypothesis wants."""

    @initialize(
        right=st.sampled_from(["delete", "know_specific", "opt_out", "correct"]),
        conclusion=st.sampled_from(CONCLUSIONS),
        duplicate=st.booleans(),
    )
    def begin(self, right: str, conclusion: str, *, duplicate: bool) -> None:
        self.driver = new_driver()
        self.first: UUID | None = FIRST if duplicate else None
        self.messages = Messages()
        may_do = "know_categories" if (right, conclusion) == ("know_specific", "downgraded") else right
        bodies = {
            "received": received(right),
            "withdrawn": withdrawn(),
            "verified": verified(may_do, conclusion=conclusion),
            "extended": extended(),
        }
        self.facts: dict[str, Message] = {
            name: self.messages.event(body, at=NOW) for name, body in bodies.items()
        }

    @rule(name=st.sampled_from(["received", "received", "verified", "verified", "extended", "withdrawn"]))
    def hear(self, name: str) -> None:
        """Any fact, also a second time."""
        self.driver.deliver(self.facts[name], facts=self.first)

    @rule(which=st.sampled_from(["place", "release", "retry", "deny"]))
    def command(self, which: str) -> None:
        body = {
            "place": PlaceHold(hold_id=HOLD, actor="counsel", reason="litigation"),
            "release": ReleaseHold(hold_id=HOLD, actor="counsel"),
            "deny": DenyRequest(ground="suspected_fraud", actor="counsel", reason="forty in the same hour"),
            "retry": RetryTask(task=min(self.driver.case.open, default="none"), actor="me", reason="mended"),
        }[which]
        self.driver.deliver(self.messages.command(body, at=NOW))

    @precondition(lambda self: self.driver.tasks)
    @rule(data=st.data(), word=st.sampled_from(["done", "done", "done", "nothing", "needs_person"]))
    def finish(self, data: st.DataObject, word: str) -> None:
        """A task ends, perhaps one that ended before; a stopped one as canceled."""
        key = data.draw(st.sampled_from(sorted(self.driver.tasks)))
        stopped = isinstance(self.driver.permit(key), Stop)
        status: TaskStatus = "canceled" if stopped else "needs_person" if word == "needs_person" else "done"
        self.driver.finish(key, status, **_result(key, status, word))

    @rule(minutes=st.sampled_from([1, 9, 30]))
    def time_passes(self, minutes: int) -> None:
        self.driver.pass_time(self.driver.now + timedelta(minutes=minutes))

    @invariant()
    def it_ends_at_most_once_and_never_with_an_open_task(self) -> None:
        case, ends = self.driver.case, self.driver.bodies(RequestFulfilled)
        assert len(ends) == (case.stage == "ended")
        assert not (ends and case.open)
        assert set(case.stuck) <= set(case.open)

    @invariant()
    def what_is_done_is_told_or_is_still_to_be_told_or_the_end_tells_it(self) -> None:
        case, told = self.driver.case, self.driver.bodies(TaskSettled)
        names = {one.settled.system for one in told}
        assert len(names) == len(told)
        assert self.driver.wake_at == case.tell_at
        if case.stage != "ended":
            assert len(told) + len(case.untold) == len(case.outcomes)

    @invariant()
    def what_was_denied_is_not_acted_on(self) -> None:
        if self.driver.case.denial is not None:
            assert not any(key.startswith("act:") for key in self.driver.tasks)
            assert all(isinstance(self.driver.permit(key), Stop) for key in self.driver.case.open)

    @invariant()
    def it_never_rests_with_nothing_to_do(self) -> None:
        """Either it waits for a fact, or for a task, or it is over."""
        case = self.driver.case
        over = case.withdrawn_at is not None or case.denial is not None
        waits = case.received_at is None or (case.verified is None and not over)
        assert waits or case.open or case.stage == "ended"

    def teardown(self) -> None:
        """Whatever happened: once all is heard and every task has ended, the request has ended too."""
        if not hasattr(self, "driver"):
            return
        for name in ("received", "verified"):
            self.driver.deliver(self.facts[name], facts=self.first)
        for _ in range(12):
            for key in self.driver.case.open:
                self.driver.finish(key, "done", **_result(key, "done", "done"))
        assert len(self.driver.bodies(RequestFulfilled)) == 1


def _result(key: str, status: TaskStatus, word: str) -> dict[str, Any]:
    kind, _, rest = key.partition(":")
    if status == "canceled":
        return {"reason": "withdrawn"}
    if status == "needs_person":
        return {"kind": "credentials", "reason": "not let in"}
    if kind == "act":
        system, _, right = rest.partition(":")
        outcome = "nothing" if word == "nothing" else "done"
        part = {"part_id": str(FIRST)} if right.startswith("know") and outcome == "done" else {}
        return {"outcome": SystemOutcome(system=system, outcome=outcome).model_dump(mode="json"), **part}
    others: dict[str, dict[str, Any]] = {
        "package": {"package": PACKAGE},
        "join": {"resolution": "complete" if word == "done" else "withdrawn"},
    }
    return others.get(kind, {"kinds": [], "seeds": ""})


TestAnyInterleaving = Interleaving.TestCase
TestAnyInterleaving.settings = settings(max_examples=120, stateful_step_count=25, deadline=None)


@given(order=st.permutations(["received", "verified", "extended", "placed", "released"]))
@settings(deadline=None, max_examples=60)
def test_the_case_at_rest_does_not_depend_on_the_order_of_what_was_heard(order: list[str]) -> None:
    def heard(names: list[str]) -> FulfillmentCase:
        messages = Messages()
        made = {
            "received": messages.event(received(), at=NOW),
            "verified": messages.event(verified(), at=NOW),
            "extended": messages.event(extended(), at=NOW),
            "placed": messages.command(PlaceHold(hold_id=HOLD, actor="counsel", reason="litigation"), at=NOW),
            "released": messages.command(ReleaseHold(hold_id=HOLD, actor="counsel"), at=NOW),
        }
        driver = new_driver()
        driver.deliver_all([made[name] for name in names])
        return driver.case

    assert heard(order) == heard(["received", "verified", "extended", "placed", "released"])
