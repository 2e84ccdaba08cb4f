"""What the certificate of a closing request says: all that this case heard, nothing about the person."""

from services.deadline.domain.case import Closing, DeadlineCase, Ending, Received
from shared.evidence import Certificate, DueEvidence, LinkEvidence, NoticeEvidence, build_payload
from shared.policy import DueDate


def certificate_payload(case: DeadlineCase, received: Received, ending: Ending, closing: Closing) -> bytes:
    """The bytes whose digest RequestClosed carries and that the task signs."""
    clocks = received.clocks
    return build_payload(
        Certificate(
            request_id=received.request_id,
            business=received.business,
            regime=received.regime,
            policy_version=clocks.policy_version,
            right=clocks.right,
            resolution=ending.resolution,
            ground=ending.ground,
            verification=case.verification,
            received_at=received.received_at,
            received_on=clocks.received_on,
            follows=_follows(received),
            acknowledge_by=_due(clocks.acknowledge_by),
            respond_by=_due(clocks.respond_by),
            effective_by=_due(clocks.effective_by),
            extended_to=_due(clocks.extend_to) if case.extended else None,
            answered_at=closing.answered_at,
            closed_at=closing.closed_at,
            in_time=closing.in_time,
            systems=ending.systems,
            notices=_notices(case),
            chain_heads=case.heads,
            events=case.events,
        )
    )


def _follows(received: Received) -> LinkEvidence | None:
    linked = received.linked
    return LinkEvidence(kind=linked.kind, request_id=linked.request_id) if linked else None


def _notices(case: DeadlineCase) -> tuple[NoticeEvidence, ...]:
    return tuple(
        NoticeEvidence(
            notice_id=one.id,
            kind=one.kind,
            channel=one.channel,
            handed_over_at=one.at,
            evidence=one.evidence,
        )
        for one in case.notices
    )


def _due(due: DueDate | None) -> DueEvidence | None:
    return DueEvidence(date=due.date, late_from=due.late_from) if due else None
