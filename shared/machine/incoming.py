"""From a record on a topic to a message for the shell; what cannot be read stays a value."""

from shared.events import envelope
from shared.events.envelope import Raw, Record, Unreadable
from shared.events.message import Event
from shared.machine.decision import Message


def to_incoming(raw: Raw, *, parked: bool = False) -> Message | Unreadable:
    """Read a record, from its topic or from where it was parked; never raises."""
    record = envelope.read(raw)
    if isinstance(record, Unreadable):
        return record
    if isinstance(record.body, Event) and record.envelope.sequence is None:
        return Unreadable(raw, "missing_header", "ce_sequence", record.envelope.subject)
    if not record.body.declared.topic.covers(raw.topic):
        return Unreadable(raw, "wrong_topic", "ce_type", record.envelope.subject)
    return _message(record, parked=parked)


def _message(record: Record, *, parked: bool) -> Message:
    head = record.envelope
    return Message(
        id=head.id,
        ce_type=head.ce_type,
        source=head.source,
        kind="event" if isinstance(record.body, Event) else "command",
        request_id=head.subject,
        body=record.body,
        at=head.time,
        topic=record.raw.topic,
        sequence=head.sequence,
        digest=record.digest,
        business=head.business,
        correlation_id=head.correlation_id,
        traceparent=head.traceparent,
        signature=head.signature,
        raw=record.raw,
        parked=parked,
    )
