"""A request is taken back: by its secret, by the upstream system that sent it, or by staff who were told."""

from datetime import datetime

from services.intake.domain.case import IntakeCase
from services.intake.domain.hearing import Heard, Verdict, refused, unchanged
from shared.events.commands import WithdrawalSubmitted
from shared.events.intake import RequestWithdrawn
from shared.machine.decision import Decision, Outgoing


def withdrawn(case: IntakeCase, heard: Heard) -> Verdict:
    """By whoever was let in to say so: the holder of the secret, or staff under their signature."""
    if case.clocks is None:
        return refused(case, "unknown_request")
    return _withdraw(case, heard.context.now)


def withdrawn_upstream(case: IntakeCase, heard: Heard) -> Verdict:
    """By the source that sent it. Another source's request and no request at all are told apart by nobody."""
    body = heard.message.body
    if not isinstance(body, WithdrawalSubmitted):
        raise TypeError
    if case.received_at is None or case.source != heard.message.source:
        return refused(case, "not_yours")
    said = min(max(body.withdrawn_at, case.received_at), heard.context.now)
    return _withdraw(case, said)


def read_back(case: IntakeCase, heard: Heard) -> Verdict:
    """Our own statement, which only a restore that lost the withdrawal brings back."""
    body = heard.message.body
    if not isinstance(body, RequestWithdrawn):
        raise TypeError
    return unchanged(case.model_copy(update={"withdrawn_at": case.withdrawn_at or body.withdrawn_at}))


def _withdraw(case: IntakeCase, at: datetime) -> Verdict:
    if case.withdrawn_at is not None:
        return unchanged(case)
    if not case.is_open:
        return refused(case, "too_late")
    waiting = tuple(key for key, notice in case.notices.items() if notice.state == "planned")
    return Decision(
        case.model_copy(update={"withdrawn_at": at}),
        events=(Outgoing(RequestWithdrawn(withdrawn_at=at, audit_head="")),),
        hurry=waiting,
    )
