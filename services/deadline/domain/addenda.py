"""What is found after the end: remembered until the request is closed, then signed as an addendum each."""

from typing import Final

from services.deadline.domain.case import DeadlineCase, Draft, Finding
from shared.addendum import Addendum
from shared.events.fulfillment import FindingAdded
from shared.evidence import EventEvidence
from shared.machine.decision import Message, TaskPlan

ADDENDUM: Final = "addendum"


def hear_finding(case: DeadlineCase, message: Message) -> DeadlineCase:
    """Take it over with the event that stated it."""
    body = message.body
    assert isinstance(body, FindingAdded)  # noqa: S101 - narrows
    finding = Finding(
        event=EventEvidence(id=message.id, type=message.ce_type, sha256=message.digest),
        system=body.system,
        kind=body.kind,
        look=body.look,
        count=body.count,
        receipt_digest=body.receipt_digest,
        found_at=body.found_at,
    )
    ordered = sorted((*case.findings, finding), key=lambda one: (one.found_at, one.event.id))
    return case.model_copy(update={"findings": tuple(ordered)})


def settle_addenda(draft: Draft) -> Draft:
    """An addendum names the certificate, so that it waits for the closing."""
    case = draft.case
    if case.closing is None or case.received is None or not case.findings:
        return draft
    plans = tuple(
        TaskPlan(
            key=f"{ADDENDUM}:{one.event.id}",
            handler=ADDENDUM,
            purpose="document",
            urgency=case.closing.closed_at,
            body={"event_id": str(one.event.id), "payload": _payload(case, one)},
        )
        for one in case.findings
    )
    keys = tuple(plan.key for plan in plans)
    planned = case.model_copy(update={"findings": (), "open_tasks": (*case.open_tasks, *keys)})
    return Draft(planned, draft.events, draft.commands, (*draft.tasks, *plans), draft.closes)


def _payload(case: DeadlineCase, finding: Finding) -> str:
    assert case.closing is not None and case.received is not None  # noqa: S101, PT018 - the caller looked
    addendum = Addendum(
        request_id=case.received.request_id,
        certificate_sha256=case.closing.evidence_digest,
        **dict(finding),
    )
    return addendum.payload().decode()
