"""Builders of the facts that services hear from one another: a test states only what matters to it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from shared.events.deadline import DeadlineExtended, RequestClosed
from shared.events.fulfillment import RequestFulfilled, Resolution, SystemOutcome, TasksPlanned
from shared.events.intake import NoticeKind, NoticeSent, RequestReceived, RequestWithdrawn
from shared.events.verification import VerificationConcluded
from shared.policy import Clocks, Degree, DueDate, Right, compute_clocks, load_regime
from tests.support.domain_driver import REQUEST, utc

REGIME = "us-ca-ccpa"
# V09 of law.md's vectors: due 2026-03-19, extended 2026-05-03.
RECEIVED_AT = utc("2026-02-02 19:00")
HEAD = "a" * 64


def clocks(right: str = "delete", received_at: datetime = RECEIVED_AT) -> Clocks:
    return compute_clocks(load_regime(REGIME), Right(right), received_at)


def received(right: str = "delete", received_at: datetime = RECEIVED_AT, **more: Any) -> RequestReceived:
    dates = clocks(right, received_at)
    fields: dict[str, Any] = {
        "business": "cascadia",
        "regime": REGIME,
        "policy_version": dates.policy_version,
        "right": right,
        "requester": "subject",
        "channel": "web",
        "received_at": received_at,
        "clocks": dates,
        "claims": "c2VhbGVk",
        "audit_head": HEAD,
    }
    return RequestReceived.model_validate({**fields, **more})


def withdrawn(at: datetime = RECEIVED_AT + timedelta(days=1)) -> RequestWithdrawn:
    return RequestWithdrawn(withdrawn_at=at, audit_head="b" * 64)


def verified(right: str = "delete", **more: Any) -> VerificationConcluded:
    fields: dict[str, Any] = {
        "business": "cascadia",
        "conclusion": "verified",
        "right": right,
        "degree": Degree.REASONABLE,
        "method": "email_code",
        "concluded_at": RECEIVED_AT + timedelta(hours=1),
        "audit_head": "c" * 64,
    }
    return VerificationConcluded.model_validate({**fields, **more})


def fulfilled(right: str = "delete", resolution: Resolution = "complete", **more: Any) -> RequestFulfilled:
    systems = (
        SystemOutcome(system="crm", outcome="done", receipt_digest="d" * 64, erased=3),
        SystemOutcome(system="dms", outcome="nothing"),
    )
    fields: dict[str, Any] = {
        "business": "cascadia",
        "right": right,
        "resolution": resolution,
        "systems": systems,
        "fulfilled_at": RECEIVED_AT + timedelta(hours=2),
        "audit_head": "e" * 64,
    }
    return RequestFulfilled.model_validate({**fields, **more})


def notice_sent(kind: NoticeKind, at: datetime = RECEIVED_AT + timedelta(hours=3)) -> NoticeSent:
    return NoticeSent(kind=kind, channel="email", handed_over_at=at, notice_id=_id(f"{kind} {at}"))


def extended(right: str = "delete", received_at: datetime = RECEIVED_AT) -> DeadlineExtended:
    due = clocks(right, received_at).extend_to
    assert due is not None
    return extended_to(due)


def extended_to(due: DueDate) -> DeadlineExtended:
    return DeadlineExtended(
        respond_by=due,
        reasons=("many records",),
        notice_handed_over_at=RECEIVED_AT + timedelta(days=36),
        audit_head=HEAD,
    )


def closed(right: str = "delete", at: datetime = RECEIVED_AT + timedelta(days=2)) -> RequestClosed:
    return RequestClosed(
        right=Right(right),
        resolution="complete",
        closed_at=at,
        answered_at=at,
        in_time=True,
        evidence_digest=HEAD,
        audit_head=HEAD,
    )


def _id(name: str) -> UUID:
    return uuid5(REQUEST, name)


def tasks_planned(right: str = "delete") -> TasksPlanned:
    return TasksPlanned(right=Right(right), systems=("crm", "dms"))
