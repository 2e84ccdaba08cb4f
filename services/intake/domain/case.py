"""Intake's case: what this service knows of one request. Facts are stored, the state follows from them."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.events.fulfillment import PackageReference, Resolution
from shared.events.intake import Channel, Linked, NoticeKind, Requester
from shared.events.verification import Conclusion
from shared.machine.decision import Case
from shared.policy import Clocks, DueDate, Right
from shared.privacy.claims import Language

State = Literal["unknown", "refused", "received", "withdrawn", "answered", "closed"]
NoticeState = Literal["planned", "sent", "failed", "expired", "canceled"]
ANSWER = "notice:answer"
ACKNOWLEDGEMENT = "notice:acknowledgement"


class Part(BaseModel):
    """A part of the case: frozen, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Notice(Part):
    """One notice to the requester, under the key of its task."""

    kind: NoticeKind
    state: NoticeState = "planned"
    send_by: AwareDatetime | None = None
    handed_over_at: AwareDatetime | None = None
    reason: str | None = None


class Verified(Part):
    """How verification ended, as far as the requester is told."""

    conclusion: Conclusion
    right: Right


class Kept(Part):
    """How many rows stay, and under which lawful exemption."""

    exemption: str
    count: int


class Did(Part):
    """What was done in one system; without a title it is one whose name says nothing to a person."""

    title: str = ""
    titles: Mapping[Language, str] = Field(default_factory=dict)
    erased: int = 0
    deidentified: int = 0
    corrected: int = 0


class Told(Part):
    """A company that was told, and what it said, or why that cannot be had."""

    title: str
    outcome: Literal["done", "nothing", "impossible", "disproportionate", "canceled"]
    facts: str | None = None


class Collecting(Part):
    """How far the collecting of an answer is: hashes of the code sent last and of the link given last."""

    code: str = ""
    code_until: AwareDatetime | None = None
    codes: int = 0
    tries: int = 0
    link: str = ""
    link_until: AwareDatetime | None = None


class Ending(Part):
    """How the request ended, as fulfillment stated it."""

    right: Right
    resolution: Resolution
    ground: str | None = None
    kept: tuple[Kept, ...] = ()
    done: tuple[Did, ...] = ()
    told: tuple[Told, ...] = ()
    package: PackageReference | None = None
    backups_until: date | None = None
    fulfilled_at: AwareDatetime


class IntakeCase(Case):
    """One request at the front desk; holds no identity."""

    business: str = ""
    regime: str = ""
    right: Right | None = None
    requester: Requester = "subject"
    channel: Channel = "web"
    source: str = ""
    fingerprint: str = ""
    refused: str | None = None
    received_at: AwareDatetime | None = None
    clocks: Clocks | None = None
    linked: Linked | None = None
    withdrawn_at: AwareDatetime | None = None
    verified: Verified | None = None
    extended: DueDate | None = None
    ending: Ending | None = None
    answered_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    collecting: Collecting | None = None
    notices: dict[str, Notice] = Field(default_factory=dict)
    proofs: tuple[str, ...] = ()

    @property
    def state(self) -> State:
        """Where the request stands; facts that came early do not make it received."""
        if self.clocks is None:
            return "refused" if self.refused else "unknown"
        steps: tuple[tuple[State, object], ...] = (
            ("closed", self.closed_at),
            ("answered", self.answered_at),
            ("withdrawn", self.withdrawn_at),
        )
        return next((state for state, happened in steps if happened), "received")

    @property
    def is_open(self) -> bool:
        """Whether something may still be asked of the requester or taken back by them."""
        return self.state == "received" and self.ending is None

    @property
    def ended_unjudged(self) -> bool:
        """Whether it is over and nobody looked at what was asked: taken back, joined, or of nobody verified."""
        if self.withdrawn_at is not None or self.ending is None:
            return self.withdrawn_at is not None
        unproved = self.verified is not None and self.verified.conclusion == "failed"
        return self.ending.resolution in ("withdrawn", "duplicate") or unproved

    @property
    def came_upstream(self) -> bool:
        """Whether an upstream system sent it: then nobody was given its secret at submission."""
        return self.source.startswith("upstream/")

    @property
    def due(self) -> DueDate | None:
        """The date that the answer is owed by, after a valid extension or without one."""
        return self.extended or (self.clocks.answer_by if self.clocks else None)

    def with_notice(self, key: str, notice: Notice) -> "IntakeCase":
        """The case with this notice in place of what stood under its key."""
        return self.model_copy(update={"notices": {**self.notices, key: notice}})
