"""The rows and records that the shell makes by itself: a task's end, a waking, a dead letter."""

from datetime import datetime
from uuid import UUID

from shared.events.envelope import Raw, Unreadable
from shared.events.message import Body
from shared.ids import new_id
from shared.machine.decision import Message, TaskFinished, Wake
from shared.machine.ports import DeadLetter, FinishedTask, OutboxRow

LARGEST_SEALED = 900_000


def finished_task(body: Body) -> FinishedTask:
    """The row that a task's end writes."""
    assert isinstance(body, TaskFinished)  # noqa: S101 - narrows for the type checker
    return FinishedTask(body.task_id, body.epoch, body.status, body.model_dump_json(include={"result"}))


def wake_message(request_id: UUID, now: datetime) -> Message:
    """The message under which a waking is written down in the audit chain."""
    return Message(
        id=new_id(),
        ce_type="local.wake",
        source="local",
        kind="local",
        request_id=request_id,
        body=Wake(),
        at=now,
    )


def local_raw(item: Message | Unreadable) -> Raw:
    """A local message as a record, so that it too can become a dead letter."""
    assert isinstance(item, Message)  # noqa: S101 - an unreadable record always has its bytes
    value = item.body.model_dump_json().encode()
    return Raw(
        f"local.{item.ce_type}", -1, item.id.int & (2**62 - 1), str(item.request_id).encode(), (), value
    )


def dead_record(service: str, letter: DeadLetter) -> OutboxRow:
    """The dead letter as a record; its key is the original one only where that is an id of ours.

    Sealing makes a record larger: one that would not fit into a record any more stays in our table alone.
    """
    key, sealed = str(letter.request_id or letter.id), letter.sealed.encode()
    fits = len(sealed) <= LARGEST_SEALED
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(letter.id),
        "ce_source": f"habeas/{service}",
        "ce_type": "dsar.dead-letter.v1",
        "ce_time": letter.at.isoformat(),
        "habeas_reason": letter.reason,
        "habeas_origin": f"{letter.raw.topic}/{letter.raw.partition}/{letter.raw.offset}",
        "habeas_content": "sealed" if fits else "too_large",
    }
    return OutboxRow(
        topic=f"dsar.dead-letters.{service}",
        key=key,
        headers=headers,
        value=sealed if fits else b"",
        opened_month=letter.at.date().replace(day=1),
    )
