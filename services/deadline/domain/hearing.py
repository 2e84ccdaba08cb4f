"""How each fact is taken in, whatever came before it. A closed case hears only what it still needs."""

from collections.abc import Callable, Mapping
from typing import Final

from services.deadline.domain import extension, keys, work
from services.deadline.domain.addenda import hear_finding
from services.deadline.domain.case import DESTROY_KEY, DeadlineCase, Ending, Notice, Received
from shared.events.commands import DEADLINE, SendNotice
from shared.events.deadline import DeadlineExtended
from shared.events.fulfillment import (
    FindingAdded,
    HoldPlaced,
    HoldReleased,
    RequestFulfilled,
    TaskNeedsPerson,
    TaskSettled,
    TasksPlanned,
)
from shared.events.intake import (
    NoticeExpired,
    NoticeFailed,
    NoticeSent,
    RequestReceived,
    RequestWithdrawn,
)
from shared.events.journal import RefusedFields
from shared.events.message import Body
from shared.events.verification import VerificationConcluded
from shared.evidence import EventEvidence, SystemEvidence
from shared.machine.decision import Message, TaskFinished

Heard = Callable[[DeadlineCase, Message], DeadlineCase]


def hear(case: DeadlineCase, message: Message) -> DeadlineCase:
    """The case with the message's fact in it; what does not concern us changes nothing."""
    body = message.body
    if isinstance(body, RefusedFields):
        return _refused(case, body)
    if type(body) in UNNAMED:
        return UNNAMED[type(body)](case, message)
    take_in = LIFECYCLE.get(type(body))
    if take_in is None or case.closing is not None:
        return case
    return _named(take_in(case, message), message)


def _named(case: DeadlineCase, message: Message) -> DeadlineCase:
    """Remember a lifecycle event for the certificate, and the end of its emitter's audit chain."""
    evidence = EventEvidence(id=message.id, type=message.ce_type, sha256=message.digest)
    emitter = message.source.rpartition("/")[2]
    head = getattr(message.body, "audit_head", "")
    # Our own chain's end is the one at closing; the shell knows it then.
    heads = case.heads if emitter == "deadline" else {**case.heads, emitter: head}
    return case.model_copy(update={"events": (*case.events, evidence), "heads": heads})


def _received(case: DeadlineCase, message: Message) -> DeadlineCase:
    body = message.body
    assert isinstance(body, RequestReceived)  # noqa: S101 - narrows
    received = Received(
        request_id=message.request_id,
        business=body.business,
        regime=body.regime,
        received_at=body.received_at,
        clocks=body.clocks,
        linked=body.linked,
    )
    return case.model_copy(update={"received": received})


def _withdrawn(case: DeadlineCase, message: Message) -> DeadlineCase:
    assert isinstance(message.body, RequestWithdrawn)  # noqa: S101 - narrows
    return case.model_copy(update={"withdrawn_at": message.body.withdrawn_at})


def _verified(case: DeadlineCase, message: Message) -> DeadlineCase:
    assert isinstance(message.body, VerificationConcluded)  # noqa: S101 - narrows
    return case.model_copy(update={"verification": message.body.conclusion})


def _fulfilled(case: DeadlineCase, message: Message) -> DeadlineCase:
    body = message.body
    assert isinstance(body, RequestFulfilled)  # noqa: S101 - narrows
    systems = tuple(
        SystemEvidence(
            system=one.system,
            outcome=one.outcome,
            receipt_digest=one.receipt_digest,
            evidence=one.evidence,
            backups_until=one.backups_until,
        )
        for one in body.systems
    )
    ending = Ending(resolution=body.resolution, ground=body.ground, systems=systems)
    return case.model_copy(update={"ending": ending, "work": None, "looked": None})


def _extended(case: DeadlineCase, message: Message) -> DeadlineCase:  # noqa: ARG001 - as the table has it
    """Our own event, heard back: its id and bytes are known only once it lies on its topic."""
    return case


def _sent(case: DeadlineCase, message: Message) -> DeadlineCase:
    body = message.body
    assert isinstance(body, NoticeSent)  # noqa: S101 - narrows
    notice = Notice(
        id=body.notice_id,
        kind=body.kind,
        channel=body.channel,
        at=body.handed_over_at,
        evidence=body.evidence,
    )
    notices = sorted((*case.notices, notice), key=lambda one: (one.at, one.id))
    return case.model_copy(update={"notices": tuple(notices)})


def _not_sent(case: DeadlineCase, message: Message) -> DeadlineCase:
    assert isinstance(message.body, NoticeFailed | NoticeExpired)  # noqa: S101 - narrows
    if message.body.kind != "extension":
        return case
    failed = isinstance(message.body, NoticeFailed)
    return extension.is_left_to_a_person(case) if failed else extension.did_not_happen(case)


def _refused(case: DeadlineCase, body: RefusedFields) -> DeadlineCase:
    """Intake would not send our notice; the extension's is the only one that we ask for."""
    ours = body.command_source == DEADLINE and body.command_type == SendNotice.declared.ce_type
    return extension.did_not_happen(case) if ours else case


def _finished(case: DeadlineCase, message: Message) -> DeadlineCase:
    body = message.body
    assert isinstance(body, TaskFinished)  # noqa: S101 - narrows
    still_open = tuple(key for key in case.open_tasks if key != body.key)
    destroyed = body.key == DESTROY_KEY and body.status == "done"
    return case.model_copy(update={"open_tasks": still_open, **({"key": "destroyed"} if destroyed else {})})


LIFECYCLE: Final[Mapping[type[Body], Heard]] = {
    RequestReceived: _received,
    RequestWithdrawn: _withdrawn,
    VerificationConcluded: _verified,
    RequestFulfilled: _fulfilled,
    DeadlineExtended: _extended,
}
# What the certificate does not name; some of it is heard after closing too.
UNNAMED: Final[Mapping[type[Body], Heard]] = {
    NoticeSent: _sent,
    NoticeFailed: _not_sent,
    NoticeExpired: _not_sent,
    FindingAdded: hear_finding,
    TaskFinished: _finished,
    TasksPlanned: work.planned,
    TaskSettled: work.settled,
    TaskNeedsPerson: work.stuck,
    HoldPlaced: keys.held,
    HoldReleased: keys.let_go,
}
