"""What deadline knows of one request: dates, notices, how it ended. No identity, no sealed field."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.events.deadline import ClockName
from shared.events.fulfillment import NamedSystem, Resolution
from shared.events.intake import Linked, NoticeKind
from shared.evidence import EventEvidence, SystemEvidence
from shared.machine.decision import Case, Outgoing, TaskPlan
from shared.policy import Clocks, DueDate, Regime, Right, by_todays_zone, load_regime

CERTIFICATE: Final = "certificate"
DESTROY_KEY: Final = "destroy_key"
Kinds = frozenset[NoticeKind]
ANSWERS: Final[Kinds] = frozenset({"answer", "denial"})
WITHDRAWALS: Final[Kinds] = frozenset({"withdrawal"})
ACKNOWLEDGEMENTS: Final[Kinds] = frozenset({"acknowledgement"})


class Part(BaseModel):
    """A frozen part of the case."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Access(Part):
    """When something that recurs was done last, and the law that has it repeated."""

    regime: str
    at: AwareDatetime


class Received(Part):
    """What arrived, and the dates that it started."""

    request_id: UUID
    business: str
    regime: str
    received_at: AwareDatetime
    clocks: Clocks
    linked: Linked | None = None


class Notice(Part):
    """A notice that was handed over to its channel."""

    id: UUID
    kind: NoticeKind
    channel: str
    at: AwareDatetime
    evidence: str | None = None


class Extension(Part):
    """An extension that was asked for; it has happened once its notice was handed over in time."""

    reasons: tuple[str, ...]
    told_at: AwareDatetime | None = None
    by_hand: bool = False


class Work(Part):
    """The systems that are not done, since when, and which of them wait for a person."""

    since: AwareDatetime
    right: Right | None = None
    open: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    named: tuple[NamedSystem, ...] = ()


class Ending(Part):
    """How fulfillment ended the request."""

    resolution: Resolution
    ground: str | None = None
    systems: tuple[SystemEvidence, ...] = ()


class Closing(Part):
    """That the request is over: never changed again."""

    closed_at: AwareDatetime
    answered_at: AwareDatetime
    in_time: bool
    evidence_digest: str
    key_until: AwareDatetime


class Finding(Part):
    """What fulfillment found after the end, and the event that said so."""

    event: EventEvidence
    system: str
    kind: Literal["came_back", "deleted_again"]
    look: str
    count: int
    receipt_digest: str | None = None
    found_at: AwareDatetime


class DeadlineCase(Case):
    """One request's clocks.

    `missed` holds the clocks whose miss was stated and not withdrawn; `warned` each clock's last rung stated;
    `looked` how many days before the answer's date an extension was last asked for without a person.
    `holds` are all that were ever placed, `released` those that are over; `plan` is the order to destroy the key.
    `access` is set in a case that is no request's: what a law has a business repeat was done then.
    What only the certificate needs (`events`, `heads`, the ending's systems) is dropped once it is made.
    """

    received: Received | None = None
    withdrawn_at: AwareDatetime | None = None
    verification: str | None = None
    ending: Ending | None = None
    notices: tuple[Notice, ...] = ()
    work: Work | None = None
    extension: Extension | None = None
    looked: int | None = None
    warned: dict[ClockName, int] = Field(default_factory=dict)
    missed: tuple[ClockName, ...] = ()
    events: tuple[EventEvidence, ...] = ()
    heads: dict[str, str] = Field(default_factory=dict)
    closing: Closing | None = None
    open_tasks: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    key: Literal["kept", "destroying", "destroyed"] = "kept"
    holds: tuple[UUID, ...] = ()
    released: tuple[UUID, ...] = ()
    plan: str | None = None
    access: Access | None = None

    @property
    def extended(self) -> bool:
        return self.extension is not None and self.extension.told_at is not None

    @property
    def asks_extension(self) -> bool:
        """Whether an extension's notice is under way; one that a person would have to post may never be."""
        extension = self.extension
        return extension is not None and extension.told_at is None and not extension.by_hand

    @property
    def is_held(self) -> bool:
        """Whether a duty to keep data is in force."""
        return not set(self.holds) <= set(self.released)

    @property
    def resolution(self) -> Resolution | None:
        return self.ending.resolution if self.ending else None

    @property
    def answered_at(self) -> datetime | None:
        """When the request's own last notice was handed over."""
        return self.first_notice(WITHDRAWALS if self.resolution == "withdrawn" else ANSWERS)

    def first_notice(self, kinds: Kinds) -> datetime | None:
        """When the first notice of these kinds was handed over; they stand in that order."""
        for notice in self.notices:
            if notice.kind in kinds:
                return notice.at
        return None


@dataclass(frozen=True, slots=True)
class Draft:
    """A case on its way to a decision, with everything that follows from it."""

    case: DeadlineCase
    events: tuple[Outgoing, ...] = ()
    commands: tuple[Outgoing, ...] = ()
    tasks: tuple[TaskPlan, ...] = ()
    closes: bool = False
    refusal: str | None = None

    def then(self, case: DeadlineCase, *events: Outgoing) -> "Draft":
        """The same draft with a later case and what is to be said about the change."""
        return Draft(case, (*self.events, *events), self.commands, self.tasks, self.closes)


def regime_of(received: Received) -> Regime:
    return load_regime(received.regime)


def owed(received: Received, *, extended: bool) -> dict[ClockName, DueDate]:
    """The clocks that the right has, with their dates; an extension moves the answer's."""
    clocks, regime = received.clocks, regime_of(received)
    answer: ClockName = "effective" if clocks.effective_by else "respond"
    named = {"acknowledge": clocks.acknowledge_by, answer: clocks.due(extended=extended)}
    return {name: by_todays_zone(regime, due) for name, due in named.items() if due is not None}
