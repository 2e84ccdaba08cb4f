"""The envelope: CloudEvents 1.0 in Kafka's binary mode, read and written in one place.

`read` never raises: what cannot be read is a value too, so that one bad record cannot stop a partition.
"""

import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, Self
from uuid import UUID

from pydantic import ValidationError

from shared.events.catalogue import UnknownType, decode
from shared.events.message import Body
from shared.events.topics import ACKNOWLEDGEMENTS, SUBMISSIONS, SUPPRESSED
from shared.ids import request_id_for

REQUIRED = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time")
REQUIRED_NAMES = frozenset(REQUIRED)
MAX_HEADER_BYTES = 8_192
# Stands for a whole batch that was not unpacked (shared/lenient_records.py).
TOO_LARGE_UNPACKED = "habeas_too_large_unpacked"
# From 1, and small enough for every place that a sequence is kept in. Unicode knows digits that `int` refuses.
SEQUENCE = re.compile(r"[1-9][0-9]{0,8}")
# Sources and businesses are repeated in rows, headers and answers: names of ours, never free text about somebody.
SOURCE = re.compile(r"[a-z][a-z0-9_-]{0,30}/[a-z0-9][a-z0-9_-]{0,60}")
BUSINESS = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,63})?")
SIGNATURE = re.compile(r"[A-Za-z0-9_.-]{1,2000}")
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
# What is kept of a record that can be read; what else its sender wrote beside it is nobody's business.
ALWAYS_KEPT = (*REQUIRED, "ce_sequence", "ce_business")


@dataclass(frozen=True, slots=True)
class Raw:
    """A record as it lay on its topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    value: bytes

    def to_bytes(self) -> bytes:
        """The whole record as JSON, for a dead letter."""
        document = {
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "key": None if self.key is None else b64encode(self.key).decode(),
            "headers": [[name, b64encode(value or b"").decode()] for name, value in self.headers],
            "value": b64encode(self.value).decode(),
        }
        return json.dumps(document).encode()

    @classmethod
    def from_bytes(cls, document: bytes) -> Self:
        """The record of a dead letter again."""
        read = json.loads(document)
        return cls(
            topic=read["topic"],
            partition=read["partition"],
            offset=read["offset"],
            key=None if read["key"] is None else b64decode(read["key"]),
            headers=tuple((name, b64decode(value)) for name, value in read["headers"]),
            value=b64decode(read["value"]),
        )


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that can never be read, with the reason as one word and the field at fault, if one is."""

    raw: Raw
    reason: str
    field: str | None = None
    request_id: UUID | None = None


class Envelope(NamedTuple):
    """What the headers say about the body; made for each record, and a frozen dataclass takes thrice as long."""

    id: UUID
    source: str
    ce_type: str
    subject: UUID
    time: datetime
    sequence: int | None
    business: str
    correlation_id: str
    traceparent: str
    signature: str | None


class Record(NamedTuple):
    """A record that could be read; its raw form is what may be kept of its headers and of its body."""

    raw: Raw
    envelope: Envelope
    body: Body
    digest: str


def read(raw: Raw) -> Record | Unreadable:
    """Read one record; a reason takes the place of whatever is wrong with it."""
    headers = _headers(raw)
    if isinstance(headers, Unreadable):
        return headers
    if TOO_LARGE_UNPACKED in headers:
        return Unreadable(raw, "too_large_unpacked")
    wrong_key = _wrong_key(raw.key)
    if wrong_key is not None:
        return Unreadable(raw, wrong_key, "key", _uuid(headers.get("ce_subject", "")))
    if not headers.keys() >= REQUIRED_NAMES:
        missing = next(name for name in REQUIRED if name not in headers)
        return Unreadable(raw, "missing_header", missing, _uuid(headers.get("ce_subject", "")))
    envelope = _envelope(raw, headers)
    if isinstance(envelope, Unreadable):
        return envelope
    kept = _kept(raw, headers, envelope)
    return _record(Raw(raw.topic, raw.partition, raw.offset, raw.key, kept, raw.value), envelope)


def _headers(raw: Raw) -> dict[str, str] | Unreadable:
    if sum([len(value) for _, value in raw.headers if value]) > MAX_HEADER_BYTES:
        return Unreadable(raw, "headers_too_large")
    try:
        headers = {name: value.decode() if value else "" for name, value in raw.headers}
        # A name that was no UTF-8 on its topic cannot be encoded (shared/lenient_records.py).
        "".join(headers).encode()
    except UnicodeError:
        return Unreadable(raw, "header_not_utf8")
    return headers


def _wrong_key(key: bytes | None) -> str | None:
    """Why a key names nothing. Two keys of other bytes than text must not become one."""
    if not key:
        return "missing_key"
    try:
        key.decode()
    except UnicodeDecodeError:
        return "key_not_utf8"
    return None


def _envelope(raw: Raw, headers: Mapping[str, str]) -> Envelope | Unreadable:
    subject = _subject(raw, headers)
    message_id = _uuid(headers["ce_id"])
    time = _time(headers["ce_time"])
    field = (
        (headers["ce_specversion"] != "1.0" and "ce_specversion")
        or (subject is None and "ce_subject")
        or (message_id is None and "ce_id")
        or (time is None and "ce_time")
        or (SOURCE.fullmatch(headers["ce_source"]) is None and "ce_source")
        or (BUSINESS.fullmatch(headers.get("ce_business", "")) is None and "ce_business")
        or (SEQUENCE.fullmatch(headers.get("ce_sequence", "1")) is None and "ce_sequence")
    )
    if field or subject is None or message_id is None or time is None:
        return Unreadable(raw, "bad_header", field or None, subject)
    return Envelope(
        id=message_id,
        source=headers["ce_source"],
        ce_type=headers["ce_type"],
        subject=subject,
        time=time,
        sequence=int(headers["ce_sequence"]) if "ce_sequence" in headers else None,
        business=headers.get("ce_business", ""),
        correlation_id=_correlation(headers),
        traceparent=_of_form(TRACEPARENT, headers.get("traceparent")) or "",
        signature=_of_form(SIGNATURE, headers.get("ce_signature")),
    )


def _correlation(headers: Mapping[str, str]) -> str:
    """An id or nothing; nearly always the subject's, which was read already."""
    text = headers.get("ce_correlationid", "")
    return text if _as_written(text) is not None else str(_uuid(text) or "")


def _of_form(form: re.Pattern[str], text: str | None) -> str | None:
    """An optional header that is not what it should be counts as absent."""
    return text if text is not None and form.fullmatch(text) else None


def _kept(raw: Raw, headers: Mapping[str, str], envelope: Envelope) -> tuple[tuple[str, bytes], ...]:
    kept = [(name, headers[name].encode()) for name in ALWAYS_KEPT if name in headers]
    if raw.topic != SUBMISSIONS.name and "ce_subject" in headers:
        # On submissions it is the sender's text, and the key says it too.
        kept.append(("ce_subject", headers["ce_subject"].encode()))
    if envelope.signature is not None:
        kept.append(("ce_signature", envelope.signature.encode()))
    if envelope.traceparent:
        kept.append(("traceparent", envelope.traceparent.encode()))
    return tuple(kept)


def _subject(raw: Raw, headers: Mapping[str, str]) -> UUID | None:
    """The request that a record is about; a submission's is derived from who sent it and its key.

    An acknowledgement's key is its directive, so that what a vendor says of one stays in order.
    """
    key = (raw.key or b"").decode()
    if raw.topic == SUBMISSIONS.name:
        return request_id_for(headers["ce_source"], key)
    if raw.topic == SUPPRESSED.name:
        # No request: an id that stands for the hash.
        return request_id_for(SUPPRESSED.name, key) if headers.get("ce_subject") == key else None
    text = headers.get("ce_subject", "")
    if text == key and (subject := _as_written(text)) is not None:
        return subject
    subject = _uuid(text)
    if ACKNOWLEDGEMENTS.vendor_in(raw.topic) is not None:
        return subject if _uuid(key) is not None else None
    return subject if subject is not None and str(subject) == key else None


def _record(raw: Raw, envelope: Envelope) -> Record | Unreadable:
    try:
        body = decode(envelope.ce_type, raw.value)
    except UnknownType:
        return Unreadable(raw, "unknown_type", "ce_type", envelope.subject)
    except ValidationError as error:
        return Unreadable(raw, "invalid_body", _first_field(error), envelope.subject)
    digest = hashlib.sha256(raw.value).hexdigest()
    kept = body.kept()
    if kept is not body:
        raw = replace(raw, value=kept.model_dump_json().encode())
    return Record(raw, envelope, body, digest)


def write(envelope: Envelope, *, causation_id: str = "") -> dict[str, str]:
    """The headers of a record to send."""
    subject = str(envelope.subject)
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(envelope.id),
        "ce_source": envelope.source,
        "ce_type": envelope.ce_type,
        "ce_subject": subject,
        "ce_time": envelope.time.isoformat(),
        "ce_dataschema": f"urn:habeas:schema:{envelope.ce_type}",
        "content-type": "application/json",
        "ce_correlationid": envelope.correlation_id,
    }
    optional = {
        "ce_causationid": causation_id,
        "ce_business": envelope.business,
        "ce_sequence": "" if envelope.sequence is None else str(envelope.sequence),
        "ce_signature": envelope.signature or "",
        "traceparent": envelope.traceparent,
    }
    return headers | {name: value for name, value in optional.items() if value}


@lru_cache(maxsize=1024)
def _as_written(text: str) -> UUID | None:
    """An id in the one form in which we write ids; the records of a batch are about few requests."""
    found = _uuid(text)
    return found if found is not None and str(found) == text else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else None


def _first_field(error: ValidationError) -> str:
    """Where the body is wrong: known field names and positions only, since unknown ones are the sender's words."""
    first = error.errors(include_input=False, include_url=False)[0]
    if first["type"] == "extra_forbidden":
        return "an unknown field"
    return ".".join(str(part) for part in first["loc"]) or "body"
