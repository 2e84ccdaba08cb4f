"""Every kind of span and every attribute, declared once. What is not in these lists cannot be recorded.

An attribute holds a count, an id of ours, or one of our own words: nothing that somebody outside has written. The
reference in docs/ is made from these lists.
"""

import re
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

WORD = re.compile(r"[A-Za-z0-9_./{}-]{1,100}")
OTHER = "other"
Value = str | int | UUID


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing that a span may say; the name follows OpenTelemetry's conventions where they have one."""

    name: str
    kind: Literal["word", "count", "id"]
    meaning: str

    def told(self, value: Value) -> str | int:
        """The value as it is recorded: what is not of this attribute's kind is `other`, whatever it was."""
        if self.kind == "count":
            return value if isinstance(value, int) else OTHER
        if self.kind == "id":
            return str(value) if isinstance(value, UUID) else OTHER
        return value if isinstance(value, str) and WORD.fullmatch(value) else OTHER


MESSAGES = Attribute("messaging.batch.message_count", "count", "Messages in the batch, or records sent.")
LATER = Attribute("habeas.outbox.later", "count", "Records that the broker did not take this time.")
REQUEST_ID = Attribute("habeas.request_id", "id", "The request.")
CE_TYPE = Attribute("habeas.ce_type", "word", "What was handled: an event's, a command's or a local type.")
STATUS = Attribute("habeas.status", "word", "What became of the message, as in `habeas_messages_total`.")
HANDLER = Attribute("habeas.task.handler", "word", "Which handler ran.")
PURPOSE = Attribute("habeas.task.purpose", "word", "What the task is for: match, act, notice or document.")
ATTEMPT = Attribute("habeas.task.attempt", "count", "The how manieth attempt.")
ANSWER = Attribute("habeas.task.answer", "word", "How the attempt ended: done, canceled, again ...")
METHOD = Attribute("http.request.method", "word", "The method, if it is one that HTTP knows.")
ROUTE = Attribute("http.route", "word", "The path's pattern, never the path.")
CODE = Attribute("http.response.status_code", "count", "The answer's status.")
ERROR = Attribute("error.type", "word", "The class of what went wrong, never its text.")
ATTRIBUTES = (
    MESSAGES, LATER, REQUEST_ID, CE_TYPE, STATUS, HANDLER, PURPOSE, ATTEMPT, ANSWER, METHOD, ROUTE, CODE, ERROR,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of span; `in_request` says that it lies in the trace of its request."""

    name: str
    meaning: str
    attributes: tuple[Attribute, ...]
    in_request: bool = False


BATCH = Kind("habeas.batch", "One batch in one transaction, until its commit.", (MESSAGES, ERROR))
MESSAGE = Kind(
    "habeas.message",
    "One message of a batch; linked with the batch and with the `traceparent` that came with the message.",
    (REQUEST_ID, CE_TYPE, STATUS),
    in_request=True,
)
TASK = Kind(
    "habeas.task",
    "One attempt at a task: everything that touches the outside.",
    (REQUEST_ID, HANDLER, PURPOSE, ATTEMPT, ANSWER, ERROR),
    in_request=True,
)
RELAY = Kind(
    "habeas.relay", "The relay sends records, until the broker has answered.", (MESSAGES, LATER, ERROR)
)
HTTP = Kind(
    "habeas.http", "One HTTP request; in the caller's trace, if it names one.", (METHOD, ROUTE, CODE, ERROR)
)
KINDS = (BATCH, MESSAGE, TASK, RELAY, HTTP)
