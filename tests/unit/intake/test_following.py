"""Appeals and requests that follow from earlier ones: whose clock, linked to what, and every wrong try."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest

from services.intake.domain import IntakeCase, IntakeDomain, Letter
from services.intake.notices.texts import Texts
from services.intake.submission import First, Follows, Submission
from shared.events.commands import RequestSubmitted
from shared.events.intake import RequestReceived, SubmissionRefused
from shared.policy import Regime, Right, load_regime
from tests.support import facts
from tests.support.domain_driver import REQUEST, DomainDriver, Messages
from tests.support.front_desk import (
    CLAIMS,
    NOW,
    PERSON,
    UPSTREAM,
    FrontDesk,
    Upstream,
    http_message,
    submission,
    upstream_submission,
)
from tests.support.letters import addressed
from tests.support.regimes import as_if_offered

FIRST = uuid5(REQUEST, "the first request")
ANSWERED = First(
    business="cascadia", regime="us-co-cpa", right=Right.DELETE, is_answered=True, resolution="denied"
)


REGIMES = {name: as_if_offered(name) for name in ("us-ca-ccpa", "us-co-cpa", "us-ut-ucpa", "us-va-vcdpa")}


def appeal(first: First | None = ANSWERED) -> Submission:
    found = submission(right="appeal", appeals=str(FIRST))
    return found.model_copy(update={"follows": Follows(kind="appeal", request_id=FIRST, first=first)})


def driver(now: datetime = NOW) -> DomainDriver[IntakeCase]:
    return DomainDriver(IntakeDomain(REGIMES), now)


@pytest.mark.parametrize(("regime", "days", "extended"), [("us-co-cpa", 45, 105), ("us-va-vcdpa", 60, None)])
def test_an_appeal_runs_by_the_clock_that_the_law_of_the_denied_request_gives_appeals(
    regime: str, days: int, extended: int | None
) -> None:
    desk = driver()

    desk.deliver(http_message(appeal(ANSWERED.model_copy(update={"regime": regime}))))

    [fact] = desk.bodies(RequestReceived)
    clocks = fact.clocks
    assert (fact.right, fact.regime) == (Right.APPEAL, regime)
    assert clocks.respond_by is not None
    assert clocks.respond_by.date - clocks.received_on == timedelta(days=days)
    assert (clocks.extend_to and (clocks.extend_to.date - clocks.received_on).days) == extended


def test_an_appeal_says_what_it_is_against() -> None:
    desk = driver()

    desk.deliver(http_message(appeal()))

    [fact] = desk.bodies(RequestReceived)
    assert fact.linked is not None
    assert (fact.linked.kind, fact.linked.request_id, fact.linked.right) == ("appeal", FIRST, Right.DELETE)
    assert desk.case.linked == fact.linked


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (None, "unknown_request"),
        (ANSWERED.model_copy(update={"business": "rainier"}), "unknown_request"),
        (ANSWERED.model_copy(update={"is_answered": False}), "not_answered_yet"),
        (ANSWERED.model_copy(update={"resolution": "complete"}), "nothing_denied"),
        (ANSWERED.model_copy(update={"resolution": "withdrawn"}), "nothing_denied"),
        (ANSWERED.model_copy(update={"right": Right.APPEAL}), "appeal_of_an_appeal"),
        (ANSWERED.model_copy(update={"regime": "us-ca-ccpa"}), "no_appeal"),
        (ANSWERED.model_copy(update={"regime": "us-ut-ucpa"}), "no_appeal"),
        (ANSWERED.model_copy(update={"regime": "uk-gdpr"}), "no_appeal"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_wrong_try_to_appeal_is_refused_with_its_reason_on_every_channel(
    first: First | None, reason: str
) -> None:
    here, upstream = driver(), driver()

    told = here.deliver(http_message(appeal(first)))
    upstream.deliver(Upstream().submits(_called_in(appeal(first))))

    assert told.refusal == reason
    assert here.bodies(RequestReceived) + upstream.bodies(RequestReceived) == []
    assert [one.reason for one in upstream.bodies(SubmissionRefused)] == [reason]


def _called_in(found: Submission) -> Submission:
    return upstream_submission().model_copy(update={"right": found.right, "follows": found.follows})


def test_a_part_that_was_denied_can_be_appealed_against_too() -> None:
    desk = driver()

    desk.deliver(http_message(appeal(ANSWERED.model_copy(update={"resolution": "partial"}))))

    assert len(desk.bodies(RequestReceived)) == 1


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"right": "appeal"}, "appeals"),
        ({"right": "delete", "appeals": str(FIRST)}, "appeals"),
        ({"right": "appeal", "appeals": str(FIRST), "again": str(FIRST)}, "again"),
        ({"right": "delete", "again": "the last one"}, "again"),
    ],
)
async def test_what_does_not_say_what_it_follows_from_is_a_problem_with_that_field(
    said: dict[str, Any], field: str
) -> None:
    answer = await FrontDesk().submit({**PERSON, **said})

    assert answer.status_code == 422
    assert field in [one["field"] for one in answer.json()["errors"]]


class Denied:
    """A request over HTTP that was answered with a denial."""

    def __init__(self) -> None:
        self.desk = FrontDesk()

    async def answered(self, resolution: Any = "denied") -> dict[str, Any]:
        receipt = await self.desk.receipt()
        case = self.desk.cases.of(receipt["request_id"])
        messages = Messages(UUID(receipt["request_id"]))
        case.deliver(messages.event(facts.fulfilled(resolution=resolution), at=NOW))
        case.finish("notice:answer", handed_over_at=NOW.isoformat(), notice_id=str(FIRST))
        return receipt

    async def asks(self, secret: str | None, **said: Any) -> Any:
        return await self.desk.ask("POST", "/requests", secret, json={**PERSON, **said})


async def test_who_asks_again_shows_the_secret_of_the_first_and_both_are_linked() -> None:
    denied = Denied()
    first = await denied.answered()

    answer = await denied.asks(first["secret"], again=first["request_id"])

    second = answer.json()
    status = await denied.desk.ask("GET", f"/requests/{second['request_id']}", second["secret"])
    assert answer.status_code == 201
    assert status.json()["follows"] == first["request_id"]
    assert second["request_id"] != first["request_id"]


async def test_nobody_learns_of_a_request_without_its_secret() -> None:
    denied = Denied()
    first, other = await denied.answered(), await denied.desk.receipt()

    without = await denied.asks(None, again=first["request_id"])
    with_another = await denied.asks(other["secret"], again=first["request_id"])
    unknown = await denied.asks(other["secret"], again=str(FIRST))

    assert without.status_code == 401
    assert with_another.status_code == unknown.status_code == 404
    assert with_another.json() == unknown.json()


async def test_a_request_that_still_runs_is_not_asked_again() -> None:
    desk = Denied()
    first = await desk.desk.receipt()

    answer = await desk.asks(first["secret"], again=first["request_id"])

    assert answer.status_code == 409


async def test_california_s_denial_cannot_be_appealed_against_and_the_answer_says_what_to_do() -> None:
    denied = Denied()
    first = await denied.answered()

    answer = await denied.asks(first["secret"], right="appeal", appeals=first["request_id"])

    assert answer.status_code == 409
    assert "ask again" in answer.json()["detail"]


async def test_an_answer_is_appealed_against_once_and_the_same_appeal_is_the_same_request() -> None:
    denied = Denied()
    denied.desk.cases.domain = IntakeDomain({"us-ca-ccpa": _with_appeals()})
    first = await denied.answered()
    said = {"right": "appeal", "appeals": first["request_id"]}

    one = await denied.asks(first["secret"], **said)
    same = await denied.asks(first["secret"], **said)
    other = await denied.asks(first["secret"], **said, name="Somebody Else")

    assert (one.status_code, same.json()) == (201, one.json())
    assert (other.status_code, "already" in other.json()["detail"]) == (409, True)


async def test_an_appeal_that_was_taken_back_may_be_made_again() -> None:
    denied = Denied()
    denied.desk.cases.domain = IntakeDomain({"us-ca-ccpa": _with_appeals()})
    first = await denied.answered()
    said = {"right": "appeal", "appeals": first["request_id"]}
    one = (await denied.asks(first["secret"], **said)).json()
    await denied.desk.ask("POST", f"/requests/{one['request_id']}/withdrawal", one["secret"])

    again = await denied.asks(first["secret"], **said)
    third = await denied.asks(first["secret"], **said, name="Somebody Else")

    assert (again.status_code, third.status_code) == (201, 409)
    assert again.json()["request_id"] != one["request_id"]


def _with_appeals() -> Regime:
    """California as if it had Colorado's appeal."""
    ours, theirs = load_regime("us-ca-ccpa"), load_regime("us-co-cpa")
    rights = {**ours.rules.rights, Right.APPEAL: theirs.rules.rights[Right.APPEAL]}
    return replace(ours, rules=ours.rules.model_copy(update={"rights": rights}))


def test_who_won_an_appeal_reads_that_what_was_asked_before_is_done_now() -> None:
    desk = driver()
    desk.deliver(http_message(appeal()))

    desk.deliver(Messages().event(facts.fulfilled("delete"), at=NOW))

    note = Letter.model_validate(desk.tasks["notice:answer"].body)
    words = Texts({}, REGIMES, lambda _: "1.key").text(note, addressed())
    assert "what you asked for then is done now" in " ".join(words.split())
    assert "We have deleted your personal information" in " ".join(words.split())


def test_who_lost_an_appeal_reads_what_it_was_about_and_why() -> None:
    desk = driver()
    desk.deliver(http_message(appeal()))

    lost = facts.fulfilled("appeal", "denied", ground="the records are needed for your warranty")
    desk.deliver(Messages().event(lost, at=NOW))

    note = Letter.model_validate(desk.tasks["notice:answer"].body)
    words = " ".join(Texts({}, REGIMES, lambda _: "1.key").text(note, addressed()).split())
    assert "a request to look again at our answer to an earlier request" in words
    assert "The reason: the records are needed for your warranty." in words


async def test_an_upstream_system_says_which_request_its_caller_asks_again() -> None:
    denied, second = Denied(), uuid5(REQUEST, "the second")
    first = await denied.answered()
    sealed = denied.desk.encrypted({**CLAIMS, "again": first["request_id"]})
    command = Messages(second).command(RequestSubmitted(claims=sealed), at=NOW, source=UPSTREAM)

    await denied.desk.cases.handle([command])

    linked = denied.desk.cases.of(second).case.linked
    assert linked is not None
    assert (linked.kind, str(linked.request_id)) == ("again", first["request_id"])
