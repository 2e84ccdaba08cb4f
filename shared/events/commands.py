"""What services, upstream systems and people may ask of a service.

Sources are exact; `upstream/*` stands for every registered upstream system. A command that carries a human
decision is signed by the console's or the CLI's key and names its actor.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from shared.events.grounds import PersonsGround
from shared.events.intake import ByHand, NoticeKind
from shared.events.message import Command, command
from shared.events.topics import (
    COMMANDS_DEADLINE,
    COMMANDS_FULFILLMENT,
    COMMANDS_INTAKE,
    COMMANDS_VERIFICATION,
    SUBMISSIONS,
)
from shared.policy.clocks import DueDate
from shared.privacy import IMPERSONAL, SealedText
from shared.privacy.claims import Language

INTAKE = "habeas/intake"
VERIFICATION = "habeas/verification"
FULFILLMENT = "habeas/fulfillment"
DEADLINE = "habeas/deadline"
PEOPLE = frozenset({"habeas/cli", "habeas/console"})
UPSTREAM = frozenset({"upstream/*"})

JWE = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){4}")
Actor = Annotated[
    str, StringConstraints(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9._:-]+$"), IMPERSONAL
]
Reason = Annotated[str, StringConstraints(min_length=3, max_length=400), IMPERSONAL]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,4}:[0-9a-f]{64}$")]
EvidenceReference = Annotated[
    str, StringConstraints(min_length=3, max_length=120, pattern=r"^[A-Za-z0-9._:/#-]+$"), IMPERSONAL
]


@command("dsar.submission.request", version=1, topic=SUBMISSIONS, sources=UPSTREAM)
class RequestSubmitted(Command):
    """An upstream system passes on a request; the claims come only as a JWE to intake's published key."""

    claims: Annotated[str, StringConstraints(max_length=64_000)]

    def kept(self) -> Self:
        """Claims that are no JWE may be anybody's in clear: they are refused, and until then not kept either."""
        return self if JWE.fullmatch(self.claims) else self.model_copy(update={"claims": ""})


@command("dsar.submission.withdrawal", version=1, topic=SUBMISSIONS, sources=UPSTREAM)
class WithdrawalSubmitted(Command):
    """The upstream system that sent a request takes it back for the requester."""

    withdrawn_at: AwareDatetime


@command("dsar.intake.withdraw", version=1, topic=COMMANDS_INTAKE, sources=PEOPLE, signed=True)
class Withdraw(Command):
    """The requester takes the request back, by its secret or through the staff that they told."""

    actor: Actor


@command("dsar.intake.record-handover", version=1, topic=COMMANDS_INTAKE, sources=PEOPLE, signed=True)
class RecordHandover(Command):
    """A person gave the requester a notice that no mail could take: posted it, read it out, or handed it over.

    `on` is the local day on which that was done; what is proved by the evidence is dated to that day's end.
    """

    notice: Annotated[
        str, StringConstraints(min_length=1, max_length=80, pattern=r"^[a-z:_0-9-]+$"), IMPERSONAL
    ]
    channel: ByHand
    on: date
    evidence: EvidenceReference
    actor: Actor


@command(
    "dsar.intake.send-notice",
    version=1,
    topic=COMMANDS_INTAKE,
    sources=frozenset({VERIFICATION, FULFILLMENT, DEADLINE}),
)
class SendNotice(Command):
    """Tell the requester something; after `send_by` it must not go out any more."""

    kind: NoticeKind
    reasons: tuple[Annotated[str, IMPERSONAL], ...] = ()
    reasons_in: Mapping[Language, tuple[Annotated[str, IMPERSONAL], ...]] = Field(
        default_factory=dict,
        exclude_if=lambda one: not one,
        description="the same in other languages",
    )
    send_by: AwareDatetime | None = None
    due: DueDate | None = None
    code: SealedText | None = None
    expires_at: AwareDatetime | None = None


@command(
    "dsar.verification.answer-challenge",
    version=1,
    topic=COMMANDS_VERIFICATION,
    sources=frozenset({INTAKE}),
)
class AnswerChallenge(Command):
    """The requester typed the code that they were sent."""

    code: SealedText


@command(
    "dsar.verification.present-assertion",
    version=1,
    topic=COMMANDS_VERIFICATION,
    sources=frozenset({INTAKE}),
)
class PresentAssertion(Command):
    """The requester signed in to their account; the business's identity provider says so."""

    assertion: SealedText


@command("dsar.fulfillment.retry-task", version=1, topic=COMMANDS_FULFILLMENT, sources=PEOPLE, signed=True)
class RetryTask(Command):
    """A person mended what stopped a task; it may be tried again (and proves before it acts)."""

    task: Annotated[str, IMPERSONAL]
    actor: Actor
    reason: Reason


@command("dsar.fulfillment.complete-task", version=1, topic=COMMANDS_FULFILLMENT, sources=PEOPLE, signed=True)
class CompleteTask(Command):
    """A person ends the wait for a vendor, or answers for what a system did and no machine can prove or repeat.

    The reason holds the facts; `evidence` says where they stand, and must be given for a system's task.
    """

    task: Annotated[str, IMPERSONAL]
    outcome: Literal["done", "nothing", "impossible", "disproportionate"]
    actor: Actor
    reason: Reason
    evidence: EvidenceReference | None = None


@command("dsar.fulfillment.decide-review", version=1, topic=COMMANDS_FULFILLMENT, sources=PEOPLE, signed=True)
class DecideReview(Command):
    """A person decides what no rule may: whether more is answered than the law asks for, whether an appeal is right.

    The requester reads the reason of a denial (Civ. Code 1798.145(h)(2), 1798.145(h)(3)).
    """

    outcome: Literal["grant", "deny"]
    actor: Actor
    reason: Annotated[str, StringConstraints(min_length=3, max_length=200), IMPERSONAL]


@command("dsar.fulfillment.deny", version=1, topic=COMMANDS_FULFILLMENT, sources=PEOPLE, signed=True)
class DenyRequest(Command):
    """A person denies a request before any system was asked to act; the requester reads the ground and the reason.

    `not_by_the_consumer`: nobody asked who may (11 CCR 7102(a)). `suspected_fraud`: a good-faith, reasonable and
    documented belief, which is explained (7026(e), 7027(f)). `unfounded_or_excessive`: manifestly so, which the
    business has to show (Civ. Code 1798.145(h)(3)).
    """

    ground: PersonsGround
    actor: Actor
    reason: Annotated[str, StringConstraints(min_length=3, max_length=170), IMPERSONAL]


@command("dsar.fulfillment.place-hold", version=1, topic=COMMANDS_FULFILLMENT, sources=PEOPLE, signed=True)
class PlaceHold(Command):
    """A duty to keep data: no destruction for this request starts until it is released."""

    hold_id: UUID
    actor: Actor
    reason: Reason
    evidence: EvidenceReference | None = None


@command("dsar.fulfillment.release-hold", version=1, topic=COMMANDS_FULFILLMENT, sources=PEOPLE, signed=True)
class ReleaseHold(Command):
    """The duty to keep data is over; what waited goes on."""

    hold_id: UUID
    actor: Actor
    reason: Reason | None = None
    evidence: EvidenceReference | None = None


@command(
    "dsar.fulfillment.place-standing-hold", version=1, topic=COMMANDS_FULFILLMENT, sources=PEOPLE, signed=True
)
class PlaceStandingHold(Command):
    """A duty to keep what is held on a person, in a system, or of a statutory category, whoever asks for deletion.

    The command's subject is the hold's own id. A person is named by keyed hashes only (`habeas holds place --person`
    makes them), under every version of the key; any of them is enough.
    """

    scope: Literal["person", "system", "category"]
    business: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{1,60}$")] | None = None
    hashes: Annotated[tuple[Hash, ...], Field(max_length=500)] = ()
    actor: Actor
    reason: Reason
    evidence: EvidenceReference | None = None

    @model_validator(mode="after")
    def _names_what_is_kept(self) -> Self:
        if (self.scope == "person") != bool(self.hashes) or (self.scope == "person") != (self.name is None):
            raise ValueError("a person is named by hashes, a system and a category by its name")
        return self


@command(
    "dsar.fulfillment.release-standing-hold",
    version=1,
    topic=COMMANDS_FULFILLMENT,
    sources=PEOPLE,
    signed=True,
)
class ReleaseStandingHold(Command):
    """The hold that is the command's subject is over; what waited for it goes on."""

    actor: Actor
    reason: Reason
    evidence: EvidenceReference | None = None


@command(
    "dsar.fulfillment.lift-suppression", version=1, topic=COMMANDS_FULFILLMENT, sources=PEOPLE, signed=True
)
class LiftSuppression(Command):
    """What this request had suppressed is suppressed no longer, unless another request asks for it too."""

    actor: Actor
    reason: Reason


@command("dsar.fulfillment.record-replay", version=1, topic=COMMANDS_FULFILLMENT, sources=PEOPLE, signed=True)
class RecordReplay(Command):
    """A system's backup came back, and this request's deletion was applied to it again, with this receipt."""

    system: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,60}$")]
    rows: int
    receipt_digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    actor: Actor


@command("dsar.deadline.extend", version=1, topic=COMMANDS_DEADLINE, sources=PEOPLE, signed=True)
class ExtendDeadline(Command):
    """Ask for the once-only extension; it takes effect when its notice was handed over in time (11 CCR 7021(b))."""

    reasons: tuple[Reason, ...]
    reasons_in: Mapping[Language, tuple[Reason, ...]] = Field(
        default_factory=dict,
        exclude_if=lambda one: not one,
        description="the same in other languages",
    )
    actor: Actor


@command("dsar.deadline.hold-key", version=1, topic=COMMANDS_DEADLINE, sources=PEOPLE, signed=True)
class HoldRequestKey(Command):
    """A duty to keep what a request that is over brought: its key is not destroyed until this is released."""

    hold_id: UUID
    actor: Actor
    reason: Reason


@command("dsar.deadline.release-key", version=1, topic=COMMANDS_DEADLINE, sources=PEOPLE, signed=True)
class ReleaseRequestKey(Command):
    """That duty is over; a key that is due then is destroyed."""

    hold_id: UUID
    actor: Actor


@command("dsar.deadline.destroy-key", version=1, topic=COMMANDS_DEADLINE, sources=PEOPLE, signed=True)
class DestroyRequestKey(Command):
    """Destroy a closed request's key, which is due; `plan` is the SHA-256 of the retention plan that somebody read."""

    plan: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    actor: Actor
