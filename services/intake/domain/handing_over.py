"""Notices that no mail could take: which of them wait for a person, and what that person did."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from services.intake.domain.case import ANSWER, IntakeCase, Notice
from services.intake.domain.hearing import Heard, Verdict, refused
from services.intake.domain.notifying import expired, moot
from shared.events.commands import RecordHandover
from shared.events.intake import NoticeSent
from shared.machine.decision import Decision, Outgoing
from shared.policy import Regime
from shared.policy.dates import late_from

NOTICES = UUID("0d6f2f5e-7c3f-5c51-9f6e-3a8b8f1f6c60")


def notice_id(request_id: UUID, key: str) -> UUID:
    """The one name of a notice, however often and by whatever way it goes out."""
    return uuid5(NOTICES, f"{request_id} {key}")


def waiting(case: IntakeCase, now: datetime) -> Iterator[tuple[str, Notice]]:
    """What somebody still has to be told by hand; a code is not: it is over before a letter arrives."""
    for key, notice in case.notices.items():
        is_over = notice.kind == "verification_code" or expired(notice, now) or moot(case, notice)
        if notice.state == "failed" and not is_over:
            yield key, notice


def recorded(case: IntakeCase, heard: Heard) -> Verdict:
    """A person told the requester: from then on the notice counts as given."""
    command = heard.message.body
    if not isinstance(command, RecordHandover):
        raise TypeError
    notice = case.notices.get(command.notice)
    refusal = _refusal(case, notice, command, heard)
    if refusal is not None or notice is None:
        return refused(case, refusal or "unknown_notice")
    at = _handed_over_at(command, heard.regimes[case.regime], heard.context.now)
    if expired(notice, at):
        return refused(case, "too_late")
    sent = notice.model_copy(update={"state": "sent", "handed_over_at": at, "reason": None})
    told = case.with_notice(command.notice, sent)
    if command.notice == ANSWER:
        told = told.model_copy(update={"answered_at": at})
    fact = NoticeSent(
        kind=notice.kind,
        channel=command.channel,
        handed_over_at=at,
        notice_id=notice_id(heard.message.request_id, command.notice),
        evidence=command.evidence,
    )
    # Its task waits for a person no longer: it is looked at, and stopped.
    return Decision(told, events=(Outgoing(fact),), hurry=(command.notice,))


def _refusal(case: IntakeCase, notice: Notice | None, command: RecordHandover, heard: Heard) -> str | None:
    if case.clocks is None:
        return "unknown_request"
    if notice is None:
        return "unknown_notice"
    today = heard.context.now.astimezone(heard.regimes[case.regime].zone).date()
    reasons = (
        ("already_sent", notice.state == "sent"),
        ("not_waiting", notice.state != "failed"),
        ("in_the_future", command.on > today),
        ("before_the_request", command.on < case.clocks.received_on),
    )
    return next((reason for reason, applies in reasons if applies), None)


def _handed_over_at(command: RecordHandover, regime: Regime, now: datetime) -> datetime:
    """The last moment of the day that was named, unless that day is not over: never earlier than it can be proved."""
    return min(now, late_from(command.on, regime.zone) - timedelta(seconds=1))
