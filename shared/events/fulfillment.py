"""What fulfillment states: which systems were asked, what each did, and how the request ended."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.events.message import Event, event
from shared.events.topics import FULFILLED, JOURNAL_FULFILLMENT, SUPPRESSED
from shared.policy.rights import Right
from shared.privacy.claims import Language

Resolution = Literal["complete", "partial", "denied", "nothing_found", "withdrawn", "duplicate"]


Titles = Annotated[Mapping[Language, str], Field(description="the same in other languages")]


class Retention(BaseModel):
    """Rows that one dataset keeps under a lawful exemption."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    dataset: str
    exemption: str
    count: int


class SystemOutcome(BaseModel):
    """How one system ended: counts and a receipt's digest, never a row.

    `evidence` is set where a person completed what no machine could prove: the reference that they gave. The receipt
    is then their signed command, which the digest is of. What was erased may lie in backups through `backups_until`
    (11 CCR 7022(d)).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    system: str
    title: str = Field(default="", description="the system's name as people know it")
    titles: Titles = Field(default_factory=dict, exclude_if=lambda one: not one)
    outcome: Literal["done", "nothing", "needs_person", "canceled"]
    receipt_digest: str | None = None
    erased: int = 0
    deidentified: int = 0
    corrected: int = 0
    exported: int = 0
    retained: tuple[Retention, ...] = ()
    evidence: str | None = None
    backups_until: date | None = Field(default=None, exclude_if=lambda one: one is None)


class VendorTold(BaseModel):
    """A vendor that was told, and how that ended; `facts` are a person's words where it could not be had.

    Impossibility and disproportionate effort are told with their facts (11 CCR 7022(b)(3)); `canceled` means that the
    request was over before the vendor answered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    vendor: str
    title: str
    outcome: Literal["done", "nothing", "impossible", "disproportionate", "canceled"]
    facts: str | None = None


class PackageReference(BaseModel):
    """Where the sealed answer lies, and the digest of its sealed bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    package_id: UUID
    sha256: str
    size: int


@event("dsar.request.fulfilled", version=1, topic=FULFILLED)
class RequestFulfilled(Event):
    """The request ended, once, with none of its tasks open; intake turns this into the answer."""

    business: str
    right: Right
    resolution: Resolution
    ground: str | None = None
    systems: tuple[SystemOutcome, ...] = ()
    vendors: tuple[VendorTold, ...] = ()
    package: PackageReference | None = None
    duplicate_of: UUID | None = None
    fulfilled_at: AwareDatetime
    audit_head: str


@event("dsar.request.finding-added", version=1, topic=FULFILLED)
class FindingAdded(Event):
    """Something was found after the request had ended; once it is closed, a signed addendum says so.

    `came_back`: so many rows that were deleted are there again. `deleted_again`: they were taken away once more, with
    a receipt. `look` is the policy's word for when it was looked, such as `7 days`, or `restore`.
    """

    system: str
    kind: Literal["came_back", "deleted_again"]
    look: str
    count: int
    receipt_digest: str | None = None
    found_at: AwareDatetime
    audit_head: str = ""


@event("dsar.subject.suppressed", version=1, topic=SUPPRESSED)
class SubjectSuppressed(Event):
    """What holds of whoever has this keyed hash: must stay deleted, is opted out, is limited (7022(e)).

    The record's key is the hash. Of two records the higher version counts; a record without a value says that nothing
    holds any more. Before `ask_again_from` nobody may ask the person to opt in again (Civ. Code 1798.135(c)(4)).
    """

    business: str
    rights: tuple[Right, ...]
    since: AwareDatetime
    version: int
    ask_again_from: date | None = Field(default=None, exclude_if=lambda one: one is None)


class NamedSystem(BaseModel):
    """A system's name as people know it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    system: str
    title: str
    titles: Titles = Field(default_factory=dict, exclude_if=lambda one: not one)


@event("dsar.fulfillment.tasks-planned", version=1, topic=JOURNAL_FULFILLMENT)
class TasksPlanned(Event):
    """The systems that will be asked for this request, one task each."""

    right: Right
    systems: tuple[str, ...]
    named: tuple[NamedSystem, ...] = Field(default=(), exclude_if=lambda one: not one)


@event("dsar.fulfillment.task-settled", version=1, topic=JOURNAL_FULFILLMENT)
class TaskSettled(Event):
    """One system is done with this request, while others are not; of what took minutes only the end tells."""

    right: Right
    settled: SystemOutcome


@event("dsar.fulfillment.task-needs-person", version=1, topic=JOURNAL_FULFILLMENT)
class TaskNeedsPerson(Event):
    """A task cannot go on by itself; `kind` says what a person has to mend before RetryTask.

    What may have been done and can neither be proved nor repeated (`unproved`) is theirs to find out: CompleteTask.
    """

    system: str
    task: str
    kind: str
    reason: str


@event("dsar.fulfillment.opted-in-early", version=1, topic=JOURNAL_FULFILLMENT)
class OptedInEarly(Event):
    """The person opted in before anybody may have asked them to (Civ. Code 1798.135(c)(4)): was it their own wish?

    It is done all the same: who comes of their own accord waits for nothing. `ask_again_from` is the day that their
    opt-out named.
    """

    ask_again_from: date


@event("dsar.fulfillment.hold-placed", version=1, topic=JOURNAL_FULFILLMENT)
class HoldPlaced(Event):
    """A duty to keep data is in force: no destruction for this request starts. Why stands in the command.

    Of a standing hold the subject is the hold itself: it covers a person, a system or a category, of every request.
    """

    hold_id: UUID


@event("dsar.fulfillment.hold-released", version=1, topic=JOURNAL_FULFILLMENT)
class HoldReleased(Event):
    """A hold that was in force is over; what waited for the last one goes on."""

    hold_id: UUID
