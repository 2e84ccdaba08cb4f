"""Notices that other services ask for, when a notice may still go out, and what became of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain.case import ANSWER, IntakeCase, Notice, NoticeState
from services.intake.domain.collecting import COLLECTING
from services.intake.domain.hearing import Heard, Verdict, refused, unchanged
from services.intake.domain.letter import letter
from services.intake.domain.planning import plan_notice
from shared.events.commands import DEADLINE, VERIFICATION, SendNotice
from shared.events.intake import NoticeExpired, NoticeFailed, NoticeSent
from shared.events.message import Event
from shared.machine.decision import Context, Decision, Go, Kept, Outgoing, Stop, TaskFinished

# Intake alone says that a request arrived and how it ended; the rest is asked for by the service that knows.
ASKED_BY = {"verification_code": VERIFICATION, "extension": DEADLINE}
MOST_NOTICES = 14
LONGEST_REASON = 40


def asked(case: IntakeCase, heard: Heard) -> Verdict:
    """Another service asks to tell the requester something."""
    command = heard.message.body
    if not isinstance(command, SendNotice):
        raise TypeError
    refusal = _refusal(case, command, heard.message.source)
    if refusal is not None:
        return refused(case, refusal)
    name = f"code:{heard.message.id}"
    note = letter(
        case,
        command.kind,
        reasons=command.reasons,
        reasons_in=command.reasons_in,
        extend_to=command.due.date if command.due else None,
        expires_at=command.expires_at,
        code_name=name if command.code else None,
        give_access_key=command.code is not None and case.came_upstream,
    )
    send_by = command.send_by or command.expires_at
    planned = plan_notice(
        case,
        f"notice:{command.kind}:{heard.message.id}",
        note,
        urgency=send_by or heard.context.now,
        send_by=send_by,
    )
    kept = (Kept(name, heard.message.id, "code", command.code),) if command.code else ()
    return Decision(planned.case, tasks=planned.tasks, keep=kept)


def _refusal(case: IntakeCase, command: SendNotice, source: str) -> str | None:
    complete = command.code if command.kind == "verification_code" else command.reasons and command.due
    reasons = (
        ("kind_not_allowed", ASKED_BY.get(command.kind) != source),
        ("unknown_request", case.clocks is None),
        ("not_open", not case.is_open),
        ("incomplete", not complete),
        ("too_many_notices", len(case.notices) >= MOST_NOTICES),
    )
    return next((reason for reason, applies in reasons if applies), None)


def permit(case: IntakeCase, key: str, context: Context) -> Go | Stop:
    """Whether a notice may still go out; asked in the transaction that claims it."""
    notice = case.notices.get(key)
    if notice is None:
        return Stop("unknown_notice")
    if notice.state == "sent":
        return Stop("handed_over", settled=True)
    if expired(notice, context.now):
        return Stop("expired")
    return Stop("not_needed") if not key.startswith(COLLECTING) and moot(case, notice) else Go()


def expired(notice: Notice, now: datetime) -> bool:
    return notice.send_by is not None and now >= notice.send_by


def moot(case: IntakeCase, notice: Notice) -> bool:
    """Whether nothing is left to say: no acknowledgement after the answer (11 CCR 7021(a)).

    Nor an extension once the work is done: its reasons do not hold any more (Civ. Code 1798.145(h)(1)).
    """
    needless: dict[str, bool] = {
        "acknowledgement": case.answered_at is not None,
        "extension": any((case.ending, case.answered_at, case.withdrawn_at)),
        "verification_code": not case.is_open or case.verified is not None,
    }
    return needless.get(notice.kind, False)


def finished(case: IntakeCase, heard: Heard) -> Verdict:
    """A notice's task ended: state what became of it, once."""
    body = heard.message.body
    if not isinstance(body, TaskFinished):
        raise TypeError
    notice = case.notices.get(body.key)
    if notice is None or notice.state != "planned":
        return unchanged(case)
    if body.status == "done":
        return _sent(case, body.key, notice, body.result)
    if body.status == "needs_person":
        fact = NoticeFailed(kind=notice.kind, reason=str(body.result.get("reason", "unknown")))
        known = notice.model_copy(update={"reason": fact.reason[:LONGEST_REASON]})
        return _ended(case, body.key, known, "failed", fact)
    # A notice that `calling` stopped does not say why; the clock does.
    if expired(notice, heard.context.now) and notice.send_by is not None:
        fact_expired = NoticeExpired(kind=notice.kind, send_by=notice.send_by)
        return _ended(case, body.key, notice, "expired", fact_expired)
    return _ended(case, body.key, notice, "canceled", None)


def _sent(case: IntakeCase, key: str, notice: Notice, result: dict[str, Any]) -> Verdict:
    handed_over_at = datetime.fromisoformat(result["handed_over_at"])
    sent = notice.model_copy(update={"state": "sent", "handed_over_at": handed_over_at})
    told = case.with_notice(key, sent)
    if key == ANSWER:
        told = told.model_copy(update={"answered_at": handed_over_at})
    fact = NoticeSent(
        kind=notice.kind,
        channel="email",
        handed_over_at=handed_over_at,
        notice_id=UUID(result["notice_id"]),
    )
    return Decision(told, events=(Outgoing(fact),))


def _ended(case: IntakeCase, key: str, notice: Notice, state: NoticeState, fact: Event | None) -> Verdict:
    ended = case.with_notice(key, notice.model_copy(update={"state": state}))
    return Decision(ended, events=(Outgoing(fact),) if fact else ())
