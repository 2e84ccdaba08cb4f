"""What fulfillment tells a vendor, and what the vendor answers: receipt and outcome are facts of their own.

A directive's person stands only inside its letter, signed by us and encrypted to the vendor. A reminder is a new
message about the same directive.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from shared.events.message import Command, Event, command, event
from shared.events.topics import ACKNOWLEDGEMENTS, DIRECTIVES

VENDORS = frozenset({"vendor/*"})
Letter = Annotated[str, StringConstraints(max_length=64_000)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Refusal = Literal["not_identified", "exemption", "impossible", "disproportionate", "not_our_duty"]


class _Directive(Event):
    directive_id: UUID = Field(description="the same for every message about this directive")
    vendor: str
    message: int = Field(ge=1, description="1 for the first; each reminder counts on")
    receipt_by: AwareDatetime
    due_at: AwareDatetime
    letter: Letter = Field(description="a JWS by us inside of a JWE to the vendor's key")


@event("dsar.directive.deletion", version=1, topic=DIRECTIVES)
class DeletionDirective(_Directive):
    """A vendor is to delete what it holds of a person, and to pass that on (11 CCR 7022(b), (c))."""


@event("dsar.directive.opt-out", version=1, topic=DIRECTIVES)
class OptOutDirective(_Directive):
    """A vendor is to stop selling, sharing or using a person's data, and to pass that on (11 CCR 7026(f), 7027(g))."""


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
