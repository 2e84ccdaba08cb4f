"""Enforcement failures of other businesses that this system would notice: a test named after each.

`WAITING` lists those that it cannot check yet, with what they wait for; docs/enforcement.md tells both to people.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.deadline.domain import DeadlineDomain
from services.fulfillment.domain import Catalogue, FulfillmentCase, FulfillmentDomain, SystemEntry
from services.intake.application import Application
from services.intake.submission import Problem, Submission
from shared.events.commands import SendNotice
from shared.events.deadline import DeadlineApproaching, DeadlineMissed
from shared.events.fulfillment import RequestFulfilled, SystemOutcome, TasksPlanned
from shared.events.verification import ChallengeIssued, VerificationConcluded
from shared.policy import Degree, Right, compute_clocks, load_regime
from tests.support.domain_driver import DomainDriver, Messages
from tests.support.facts import RECEIVED_AT, received, verified
from tests.support.front_desk import PERSON, FrontDesk, desk, second_step
from tests.support.proofs import FRESH, Verifying

ROOT = Path(__file__).parents[2]
CCPA = load_regime("us-ca-ccpa")
NEVER_VERIFIED = (Right.OPT_OUT, Right.LIMIT, Right.OPT_OUT_ADMT)
ASKED_NOW = [str(right) for right in CCPA.offered_rights(RECEIVED_AT.date())]
never_verified = pytest.mark.parametrize("right", ["opt_out", "limit"])
every_right = pytest.mark.parametrize("right", ASKED_NOW)

WAITING: Mapping[int, str] = {
    17: "Tilting Point, children's data through SDKs: outside of what a request system sees",
}
TESTED = {1, 2, 3, 5, 6, 7, 8, 9, 10, 15, 18}
TESTED_IN_NOTICES = {11, 16, 19}
TESTED_IN_VENDORS = {4, 12, 13, 14, 20}


def _read(**fields: Any) -> Submission | tuple[Problem, ...]:
    said = {"residency": "US-CA", "email": "ada@example.com", **second_step(fields), **fields}
    return desk().read(json.dumps(said).encode())


def test_each_of_the_twenty_failures_is_tested_or_waits_for_something() -> None:
    assert sorted([*TESTED, *TESTED_IN_VENDORS, *TESTED_IN_NOTICES, *WAITING]) == list(range(1, 21))


@every_right
def test_1_honda_demanded_eight_fields_and_we_need_one_way_to_answer(right: str) -> None:
    """CPPA, March 2025: name, address, phone and more were demanded for every request, opt-outs included."""
    demanded = {name for name, field in Application.model_fields.items() if field.is_required()}

    assert demanded == {"right", "residency"}
    assert isinstance(_read(right=right), Submission)


@pytest.mark.parametrize("right", NEVER_VERIFIED)
def test_1_honda_verified_opt_outs_and_our_policy_holds_no_proof_for_them(right: Right) -> None:
    rules = CCPA.right(right)

    assert rules.verification.degree is Degree.NONE
    assert rules.verification.when_sensitive is None
    assert rules.on_unverified is None
    assert CCPA.rules.degrees[Degree.NONE].points == 0


@pytest.mark.parametrize("right", NEVER_VERIFIED)
def test_2_honda_made_consumers_confirm_their_agents_opt_out_and_our_policy_does_not(right: Right) -> None:
    """CPPA, March 2025: a signed permission is all that may be asked for (11 CCR 7026(j))."""
    agent = CCPA.right(right).agent

    assert agent is not None
    assert not agent.confirm_with_subject


@never_verified
def test_2_an_agents_opt_out_asks_the_consumer_nothing(right: str) -> None:
    verifying = Verifying()
    message = replace(verifying.request(right), body=received(right, requester="agent"))

    step = verifying.driver.deliver(message)

    assert [type(one.body) for one in step.sent] == [VerificationConcluded]


async def _steps(right: str) -> int:
    """How often a person is asked until their choice is taken: each answer says what is asked next."""
    desk, said = FrontDesk(), {**PERSON, "right": right}
    for step in range(1, 6):
        answer = await desk.submit(said)
        if answer.status_code == 201:
            return step
        said |= {one["field"]: True for one in answer.json()["errors"]}
    pytest.fail("it is never taken")


@never_verified
async def test_3_honda_took_two_clicks_to_refuse_and_one_to_accept_and_ours_takes_one_and_two(
    right: str,
) -> None:
    """CPPA, March 2025: a choice against sale may not take more steps than one for it (11 CCR 7004(a)(2), 7028)."""
    assert (await _steps(right), await _steps("opt_in")) == (1, 2)


@never_verified
def test_5_todd_snyder_noticed_nothing_for_40_days_and_ours_is_called_late_within_15_business_days(
    right: str,
) -> None:
    """CPPA, May 2025: nobody saw that opt-outs were not done. Here an opt-out that nothing is done about is told of."""
    deadline = DomainDriver(DeadlineDomain(), RECEIVED_AT)
    deadline.deliver(Messages().event(received(right), at=RECEIVED_AT))

    deadline.pass_time(RECEIVED_AT + timedelta(days=40))

    warned = [one.days_left for one in deadline.bodies(DeadlineApproaching)]
    assert warned == [7, 3, 1]
    [missed] = deadline.bodies(DeadlineMissed)
    assert missed.due.date == compute_clocks(CCPA, Right(right), RECEIVED_AT).effective_by.date  # type: ignore[union-attr] # an opt-out has one


def test_6_todd_snyder_relied_on_a_tool_unseen_and_we_count_no_system_as_done_without_its_receipt() -> None:
    """CPPA, May 2025: a vendor's tool was relied on "without validating its operation"."""
    with pytest.raises(ValidationError):
        SystemOutcome.model_validate({"system": "crm", "outcome": "accepted"})

    case = _planned("opt_out")
    case.finish("act:crm:opt_out", "needs_person", need="refused", reason="accepted, not proved")

    assert case.bodies(RequestFulfilled) == []


@every_right
@pytest.mark.parametrize("field", ["photo_id", "drivers_license", "ssn", "selfie", "date_of_birth"])
def test_7_todd_snyder_wanted_a_government_id_and_our_intake_takes_none(right: str, field: str) -> None:
    """CPPA, May 2025: a photograph with an identity card was wanted for any request."""
    found = _read(right=right, **{field: "QUJD"})

    assert isinstance(found, tuple)
    assert [problem.reason for problem in found] == ["unknown_field"]


@never_verified
def test_8_ford_let_opt_outs_wait_for_a_click_and_expire_and_ours_conclude_at_once(right: str) -> None:
    """CPPA, March 2026: an opt-out counted only after a link in an e-mail was clicked."""
    verifying = Verifying()

    step = verifying.receive(right)

    [concluded] = step.bodies(VerificationConcluded)
    assert concluded.conclusion == "not_needed"
    assert step.bodies(SendNotice) == []
    assert step.bodies(ChallengeIssued) == []
    assert verifying.driver.wake_at is None


@never_verified
def test_8_an_opt_out_has_no_date_by_which_anything_must_be_proved(right: str) -> None:
    assert compute_clocks(CCPA, Right(right), RECEIVED_AT).verify_by is None


def test_9_tractor_supply_left_trackers_running_and_we_end_only_when_every_channel_has_reported() -> None:
    """CPPA, September 2025: the web form's opt-out did not reach the trackers."""
    case = _planned("opt_out")
    assert case.bodies(TasksPlanned)[0].systems == ("ads", "crm", "tracker")

    for system in ("ads", "crm"):
        case.finish(f"act:{system}:opt_out", **_done(system))
    assert case.bodies(RequestFulfilled) == []

    case.finish("act:tracker:opt_out", **_done("tracker"))
    [fulfilled] = case.bodies(RequestFulfilled)
    assert [one.system for one in fulfilled.systems] == ["ads", "crm", "tracker"]


@pytest.mark.parametrize("right", ["know", "delete", "correct", "limit"])
async def test_10_sephora_ignored_the_browsers_signal_and_whoever_asks_us_with_it_is_opted_out(
    right: str,
) -> None:
    """Attorney General, 2022; CPPA, September 2025: Global Privacy Control was not taken for the opt-out that it is."""
    answer = await FrontDesk().ask(
        "POST", "/requests", extra={"Sec-GPC": "1"}, json={**PERSON, "right": right}
    )

    assert (answer.status_code, answer.json()["by_signal"]["right"]) == (201, "opt_out")


@pytest.mark.parametrize("right", ["opt_out", "limit", "delete", "correct", "know_categories"])
def test_15_sling_asked_signed_in_readers_for_what_it_knew_and_we_ask_them_nothing(right: str) -> None:
    """California's Attorney General, October 2025: an account that is signed in is proof enough."""
    step = Verifying().receive(right, assertion=FRESH)

    assert step.bodies(VerificationConcluded) != []
    assert step.bodies(SendNotice) == []


@never_verified
def test_18_disney_opted_out_one_device_of_a_person_it_knew_by_several_and_ours_follows_the_links(
    right: str,
) -> None:
    """California's Attorney General, February 2026: devices were linked for advertising and not for opting out."""
    rights = frozenset({Right(right)})
    device = frozenset({"advertising_id"})
    entries = [
        SystemEntry(name="accounts", business="cascadia", rights=rights, knows=device, identity_source=True),
        SystemEntry(name="ads", business="cascadia", rights=rights, finds_by=device),
    ]
    case = _asked(entries, right)
    assert case.tasks["match:accounts"].body["kinds"] == ("advertising_id",)
    assert f"act:ads:{right}" not in case.tasks

    case.finish("match:accounts", kinds=["advertising_id"], seeds={"advertising_id": "c2VhbGVk"})

    assert case.bodies(TasksPlanned)[0].systems == ("accounts", "ads")


def test_the_page_for_people_names_each_test_and_each_wait() -> None:
    """docs/enforcement.md is kept true: what it says is tested has tests of that number, the rest waits as here."""
    page = (ROOT / "docs" / "enforcement.md").read_text("utf-8")
    rows = {
        int(row.split("|")[1]): row for row in page.splitlines() if row[:2] == "| " and row[2:3].isdigit()
    }
    files = Path(__file__).parent.glob("test_*.py")
    named = re.findall(
        r"^(?:async )?def (test_(\d+)_\w+)", "\n".join(map(Path.read_text, files)), re.MULTILINE
    )

    assert sorted(rows) == list(range(1, 21))
    for name, number in named:
        assert f"`{name}`" in rows[int(number)]
    for number, reason in WAITING.items():
        assert f"waits: {reason.partition(': ')[2]}" in rows[number]
        assert "`test_" not in rows[number]


def _planned(right: str) -> DomainDriver[FulfillmentCase]:
    """An opt-out that concerns three channels."""
    entries = [
        SystemEntry(name=name, business="cascadia", rights=frozenset({Right.OPT_OUT}))
        for name in ("ads", "crm", "tracker")
    ]
    return _asked(entries, right)


def _asked(entries: list[SystemEntry], right: str) -> DomainDriver[FulfillmentCase]:
    """A request that needs no proof, before these systems."""
    case = DomainDriver(FulfillmentDomain(Catalogue(entries)), RECEIVED_AT + timedelta(hours=2))
    messages = Messages()
    concluded = verified(right, conclusion="not_needed", method="none", degree="none")
    case.deliver_all([messages.event(body, at=RECEIVED_AT) for body in (received(right), concluded)])
    return case


def _done(system: str) -> dict[str, Any]:
    outcome = SystemOutcome(system=system, outcome="done", receipt_digest="a" * 64)
    return {"outcome": outcome.model_dump(mode="json")}
