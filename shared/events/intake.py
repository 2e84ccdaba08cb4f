"""What intake states: a request arrived, was withdrawn, was refused; what was said to the requester."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.events.message import Event, event
from shared.events.topics import JOURNAL_INTAKE, RECEIVED
from shared.policy.clocks import Clocks
from shared.policy.rights import Right
from shared.privacy import SealedText

Channel = Literal["web", "phone", "agent", "mail", "store", "api"]
Requester = Literal["subject", "agent"]
NoticeKind = Literal["acknowledgement", "verification_code", "extension", "answer", "denial", "withdrawal"]
ByHand = Literal["letter", "phone", "in_person"]
"""How a person tells a requester what no mail can."""


class Linked(BaseModel):
    """The earlier request that a request follows from: an appeal against its answer, or the same asked again."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["appeal", "again"]
    request_id: UUID
    right: Right = Field(description="what the earlier request asked for")


@event("dsar.request.received", version=1, topic=RECEIVED)
class RequestReceived(Event):
    """A person asked us to act on their data; the statutory clock starts at `received_at`."""

    business: str
    regime: str
    policy_version: str
    right: Right
    requester: Requester
    channel: Channel
    received_at: AwareDatetime
    clocks: Clocks
    claims: SealedText
    assertion: SealedText | None = None
    linked: Linked | None = Field(default=None, exclude_if=lambda one: one is None)
    audit_head: str


@event("dsar.request.withdrawn", version=1, topic=RECEIVED)
class RequestWithdrawn(Event):
    """The requester took the request back; what is queued stops, what was done is said."""

    withdrawn_at: AwareDatetime
    audit_head: str


@event("dsar.intake.submission-refused", version=1, topic=JOURNAL_INTAKE)
class SubmissionRefused(Event):
    """A submission could not become a request; `reason` and `field` say why and where, never what was sent."""

    submission_source: str
    reason: str
    field: str | None = None
    remedy: str


@event("dsar.intake.notice-sent", version=1, topic=JOURNAL_INTAKE)
class NoticeSent(Event):
    """A notice was handed over to its channel at `handed_over_at`, which is when it counts as given.

    `evidence` is set where a person did it: where it is proved, such as a line of the book of outgoing letters.
    """

    kind: NoticeKind
    channel: Literal["email"] | ByHand
    handed_over_at: AwareDatetime
    notice_id: UUID = Field(description="the stable id behind the Message-ID; one notice, however often sent")
    evidence: str | None = None


@event("dsar.intake.notice-failed", version=1, topic=JOURNAL_INTAKE)
class NoticeFailed(Event):
    """Every channel for a notice is exhausted; a person has to reach the requester."""

    kind: NoticeKind
    reason: str


@event("dsar.intake.notice-expired", version=1, topic=JOURNAL_INTAKE)
class NoticeExpired(Event):
    """A notice was not sent, because its `send_by` had passed: it would have claimed a time that it did not have."""

    kind: NoticeKind
    send_by: AwareDatetime
