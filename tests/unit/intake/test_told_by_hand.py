"""Whoever no mail reaches is told by a person: what waits for that, and what counts as done when it is recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.intake.domain import IntakeCase
from services.intake.domain.handing_over import notice_id, waiting
from services.intake.notices.letters import Letters
from services.intake.notices.paper import content
from shared.events.commands import RecordHandover, SendNotice
from shared.events.intake import NoticeSent
from shared.machine.decision import Go, Kept, Stop
from shared.privacy import Claims
from tests.support import facts
from tests.support.domain_driver import REQUEST, DomainDriver, Messages
from tests.support.front_desk import (
    NOW,
    UPSTREAM,
    FrontDesk,
    StandingClock,
    acceptances,
    driver,
    refusals,
    upstream_submission,
)
from tests.support.front_desk import Upstream as CallCenter
from tests.support.letters import answer, texts
from tests.support.memory_vault import memory_vault

BY_PHONE = {"email": None, "phone": "+15595550134", "name": "Ada Lovelace"}
TODAY = date(2026, 2, 2)


def answered_without_mail(**more: Any) -> tuple[DomainDriver[IntakeCase], Messages]:
    """A request by telephone of somebody without an e-mail address, whose answer no mail could take."""
    desk, messages = driver(), Messages()
    desk.deliver(CallCenter(UPSTREAM, messages).submits(upstream_submission(**BY_PHONE)))
    desk.deliver(messages.event(facts.fulfilled(**more), at=NOW))
    for key in tuple(desk.tasks):
        desk.finish(key, "needs_person", reason="no_address")
    return desk, messages


def handover(**more: Any) -> RecordHandover:
    said = {
        "notice": "notice:answer",
        "channel": "letter",
        "on": TODAY,
        "evidence": "postbook/118",
        "actor": "eve",
    }
    return RecordHandover.model_validate({**said, **more})


def keys_waiting(desk: DomainDriver[IntakeCase]) -> list[str]:
    return [key for key, _ in waiting(desk.case, desk.now)]


def test_what_no_mail_could_take_waits_for_a_person_and_says_why() -> None:
    desk, _ = answered_without_mail()

    assert keys_waiting(desk) == ["notice:acknowledgement", "notice:answer"]
    assert {one.reason for _, one in waiting(desk.case, desk.now)} == {"no_address"}


def test_an_answer_that_was_posted_counts_as_given_with_its_evidence_and_its_task_is_over() -> None:
    desk, messages = answered_without_mail()

    step = desk.deliver(messages.command(handover(), at=NOW))

    [fact] = step.bodies(NoticeSent)
    assert (fact.kind, fact.channel, fact.evidence) == ("answer", "letter", "postbook/118")
    assert fact.notice_id == notice_id(REQUEST, "notice:answer")
    assert desk.case.answered_at == fact.handed_over_at == NOW
    assert desk.case.state == "answered"
    assert desk.hurried == ["notice:answer"]
    assert desk.permit("notice:answer") == Stop("handed_over", settled=True)
    assert keys_waiting(desk) == []


def test_a_day_that_is_over_counts_to_its_last_second_in_california() -> None:
    desk, messages = answered_without_mail()
    desk.now = NOW + timedelta(days=3)

    step = desk.deliver(messages.command(handover(), at=desk.now))

    [fact] = step.bodies(NoticeSent)
    assert fact.handed_over_at.isoformat() == "2026-02-03T07:59:59+00:00"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"notice": "notice:withdrawal"}, "unknown_notice"),
        ({"on": TODAY + timedelta(days=1)}, "in_the_future"),
        ({"on": TODAY - timedelta(days=1)}, "before_the_request"),
    ],
)
def test_what_cannot_have_happened_is_refused_with_its_reason(said: dict[str, Any], reason: str) -> None:
    desk, messages = answered_without_mail()

    step = desk.deliver(messages.command(handover(**said), at=NOW))

    assert refusals(step) == [reason]
    assert desk.case.answered_at is None


def test_it_is_recorded_once() -> None:
    desk, messages = answered_without_mail()
    first = desk.deliver(messages.command(handover(), at=NOW))

    second = desk.deliver(messages.command(handover(evidence="postbook/119"), at=NOW))

    assert acceptances(first) == 1
    assert refusals(second) == ["already_sent"]
    assert len(desk.bodies(NoticeSent)) == 1


def test_a_notice_that_mail_may_still_take_is_not_a_persons() -> None:
    desk, messages = driver(), Messages()
    desk.deliver(CallCenter(UPSTREAM, messages).submits())
    desk.deliver(messages.event(facts.fulfilled(), at=NOW))

    step = desk.deliver(messages.command(handover(), at=NOW))

    assert refusals(step) == ["not_waiting"]
    assert desk.permit("notice:answer") == Go()


def test_an_extension_counts_by_the_day_it_was_posted_and_not_after_its_last_one() -> None:
    last_day = NOW + timedelta(days=1)
    desk, messages = driver(), Messages()
    desk.deliver(CallCenter(UPSTREAM, messages).submits(upstream_submission(**BY_PHONE)))
    asked = SendNotice(
        kind="extension", reasons=("by mail only",), due=facts.clocks().extend_to, send_by=last_day
    )
    desk.deliver(messages.command(asked, at=NOW, source="habeas/deadline"))
    [key] = [key for key in desk.tasks if "extension" in key]
    desk.finish(key, "needs_person", reason="no_address")
    desk.now = last_day + timedelta(days=3)

    late = desk.deliver(messages.command(handover(notice=key, on=TODAY + timedelta(days=2)), at=desk.now))
    in_time = desk.deliver(messages.command(handover(notice=key), at=desk.now))

    assert refusals(late) == ["too_late"]
    assert [fact.kind for fact in in_time.bodies(NoticeSent)] == ["extension"]


@dataclass(frozen=True)
class KeptInMemory:
    """What is remembered of one request."""

    fields: Mapping[str, Kept]

    async def kept(self, request_id: UUID, names: Sequence[str]) -> dict[str, Kept]:
        return {name: self.fields[name] for name in names}


async def test_a_letter_to_be_posted_bears_the_name_and_the_address_that_were_given() -> None:
    person = Claims(name="Ada Lovelace", postal_address=("12 Oak Street", "Fresno, CA 93701"), language="es")
    vault = memory_vault()
    await vault.create([REQUEST])
    sealed = vault.seal(REQUEST, REQUEST, "claims", person.to_bytes())
    kept = KeptInMemory({"claims": Kept("claims", REQUEST, "claims", sealed)})
    letters = Letters(kept, vault, texts(), StandingClock())

    to = await letters.addressed_by_hand(REQUEST, "notice:answer")
    said = content(texts(), answer("opt_out", "complete"), to)

    assert said["to"] == ["Ada Lovelace", "12 Oak Street", "Fresno, CA 93701"]
    assert (said["language"], said["title"]) == ("es", "Nuestra respuesta a su solicitud de privacidad")


async def test_an_answer_that_was_planned_for_mail_is_printed_for_the_post() -> None:
    desk = FrontDesk()
    address = ["12  Oak Street", "Fresno, CA 93701"]
    receipt = await desk.receipt(**BY_PHONE, channel="mail", postal_address=address)
    letters = Letters(desk.cases, desk.vault, texts(), desk.clock)

    printed = await letters.to_post(
        UUID(receipt["request_id"]), "notice:answer", answer("opt_out", "complete")
    )

    assert printed.startswith(b"%PDF-")
