"""What fulfillment tells a vendor, and what the vendor answers: receipt and outcome are facts of their own.

A directive's person stands only inside its letter, signed by us and encrypted to the vendor. A reminder is a new
message about the same directive.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.events.message import Command, Event, command, event
from shared.events.topics import ACKNOWLEDGEMENTS, DIRECTIVES
from shared.privacy.claims import Correction

VENDORS = frozenset({"vendor/*"})
SealedLetter = Annotated[str, StringConstraints(max_length=64_000)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Refusal = Literal["not_identified", "exemption", "impossible", "disproportionate", "not_our_duty"]


class NamedBy(BaseModel):
    """One identifier of the person, in the form that the vendor's file asks for."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: str = Field(description="email, phone, customer_id …; vendor_id is the vendor's own")
    form: Literal["raw", "sha256", "vendor_id"] = Field(
        description="sha256: of the trimmed, lower-case address, or of a number's digits"
    )
    value: str


class Letter(BaseModel):
    """What a directive's letter says, once it is decrypted and verified: the usual claims of a JWT, and ours."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    iss: Literal["habeas/fulfillment"] = "habeas/fulfillment"
    aud: str = Field(description="the vendor; anybody else must not act on it")
    jti: UUID = Field(description="the directive, the same in every reminder: do it once, answer every time")
    iat: int
    exp: int
    request: UUID
    business: str
    right: Literal["delete", "opt_out", "limit", "correct"]
    message: int = Field(ge=1)
    due_at: AwareDatetime
    collected_until: AwareDatetime = Field(description="what was collected later is not meant")
    identifiers: tuple[NamedBy, ...]
    corrections: tuple[Correction, ...] = Field(
        default=(), description="for correct: what is wrong, and what it should be"
    )


class _Directive(Event):
    directive_id: UUID = Field(description="the same for every message about this directive")
    vendor: str
    message: int = Field(ge=1, description="1 for the first; each reminder counts on")
    receipt_by: AwareDatetime
    due_at: AwareDatetime
    letter: SealedLetter = Field(description="a JWS by us inside of a JWE to the vendor's key")


@event("dsar.directive.deletion", version=1, topic=DIRECTIVES)
class DeletionDirective(_Directive):
    """A vendor is to delete what it holds of a person, and to pass that on (11 CCR 7022(b), (c))."""


@event("dsar.directive.opt-out", version=1, topic=DIRECTIVES)
class OptOutDirective(_Directive):
    """A vendor is to stop selling, sharing or using a person's data, and to pass that on (11 CCR 7026(f), 7027(g))."""


@event("dsar.directive.correction", version=1, topic=DIRECTIVES)
class CorrectionDirective(_Directive):
    """A service provider or contractor is to correct what it holds of a person (11 CCR 7023(c)).

    A third party that gets sensitive data is sent what the person states against it, to go with it (7023(f)(3)).
    """


class _Acknowledgement(Command):
    directive_id: UUID


@command("dsar.acknowledgement.received", version=1, topic=ACKNOWLEDGEMENTS, sources=VENDORS)
class DirectiveReceived(_Acknowledgement):
    """The vendor has the directive and could read it; that is no word about its outcome."""

    received_at: AwareDatetime


@command("dsar.acknowledgement.completed", version=1, topic=ACKNOWLEDGEMENTS, sources=VENDORS)
class DirectiveCompleted(_Acknowledgement):
    """The vendor did what it was told; `held` says whether it held anything of the person."""

    completed_at: AwareDatetime
    held: bool
    evidence: Digest | None = Field(default=None, description="the SHA-256 of the vendor's own record of it")


@command("dsar.acknowledgement.refused", version=1, topic=ACKNOWLEDGEMENTS, sources=VENDORS)
class DirectiveRefused(_Acknowledgement):
    """The vendor will not do it, for one of a few reasons; a person of the business takes it from there."""

    refused_at: AwareDatetime
    reason: Refusal
