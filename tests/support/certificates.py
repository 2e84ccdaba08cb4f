"""A certificate with sensible facts; a test states what matters to it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.canonical import sha256_hex
from shared.evidence import Certificate, DueEvidence, EventEvidence, NoticeEvidence, SystemEvidence

RECEIVED = datetime(2026, 1, 15, 18, tzinfo=UTC)
EVENTS = {
    UUID(f"0198c0de-0000-7000-8000-00000000000{number}"): f'{{"number":{number}}}'.encode()
    for number in range(1, 4)
}


def a_certificate(**changes: Any) -> Certificate:
    facts: dict[str, Any] = {
        "request_id": UUID("0198c0de-0000-7000-8000-0000000000aa"),
        "business": "cascadia",
        "regime": "us-ca-ccpa",
        "policy_version": "2026-01-01",
        "right": "delete",
        "resolution": "partial",
        "ground": "retained under an exemption",
        "verification": "verified",
        "received_at": RECEIVED,
        "received_on": date(2026, 1, 15),
        "acknowledge_by": DueEvidence(date=date(2026, 1, 29), late_from=RECEIVED + timedelta(days=15)),
        "respond_by": DueEvidence(date=date(2026, 3, 1), late_from=RECEIVED + timedelta(days=46)),
        "answered_at": RECEIVED + timedelta(days=3),
        "closed_at": RECEIVED + timedelta(days=3, minutes=1),
        "in_time": True,
        "systems": (
            SystemEvidence(system="crm", outcome="done", receipt_digest="a" * 64),
            SystemEvidence(system="dms", outcome="done", receipt_digest="b" * 64),
        ),
        "notices": (a_notice(1, "acknowledgement", hours=1), a_notice(2, "answer", hours=72)),
        "chain_heads": {"intake": "c" * 64, "fulfillment": "d" * 64},
        "events": tuple(
            EventEvidence(id=one, type="dsar.request.received.v1", sha256=sha256_hex(value))
            for one, value in EVENTS.items()
        ),
    }
    return Certificate(**{**facts, **changes})


def a_notice(number: int, kind: str, *, hours: int) -> NoticeEvidence:
    at = RECEIVED + timedelta(hours=hours)
    return NoticeEvidence(notice_id=UUID(int=number), kind=kind, channel="email", handed_over_at=at)
