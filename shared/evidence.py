"""The certificate of a closed request: what was asked, what was done, when, provable without us.

It is a JWS over canonical JSON, holds no identity, and names the SHA-256 of each lifecycle event before the
closing one (which carries the certificate's own digest). Its model stands alone on purpose: a certificate is
read years later, whatever the events look like by then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date as day_of
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
)

from shared.canonical import canonical_json, instant, sha256_hex
from shared.signing import KeyRing, PublicKeys, Unverified, sign, verify
from shared.signing.jws import Reason, counts

CERTIFICATE_TYPE: Final = "habeas-certificate+jws"

Instant = Annotated[AwareDatetime, PlainSerializer(instant, return_type=str)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class DueEvidence(_Fact):
    """A date that was to be kept: the local day, and the first instant that would have been late."""

    date: day_of
    late_from: Instant


class SystemEvidence(_Fact):
    """How one system ended, with the digest of its receipt; `evidence` is what a person gave who completed it."""

    system: str
    outcome: str
    receipt_digest: str | None = None
    # Left out where nobody gave any: the bytes of all other certificates stay what they were.
    evidence: str | None = Field(default=None, exclude_if=lambda one: one is None)
    backups_until: day_of | None = Field(default=None, exclude_if=lambda one: one is None)


class NoticeEvidence(_Fact):
    """A notice that was handed over to its channel."""

    notice_id: UUID
    kind: str
    channel: str
    handed_over_at: Instant
    evidence: str | None = Field(default=None, exclude_if=lambda one: one is None)


class EventEvidence(_Fact):
    """A lifecycle event: its envelope's id and type, and the digest of its value's bytes."""

    id: UUID
    type: str
    sha256: Sha256


class LinkEvidence(_Fact):
    """The earlier request that this one followed from: an appeal against its answer, or the same asked again."""

    kind: str
    request_id: UUID


class Certificate(_Fact):
    """Everything that a closed request can be held to."""

    format: Literal["habeas-certificate/1"] = "habeas-certificate/1"
    request_id: UUID
    business: str
    regime: str
    policy_version: str
    right: str
    resolution: str
    ground: str | None = None
    verification: str | None = None
    received_at: Instant
    received_on: day_of
    follows: LinkEvidence | None = Field(default=None, exclude_if=lambda one: one is None)
    acknowledge_by: DueEvidence | None = None
    respond_by: DueEvidence | None = None
    effective_by: DueEvidence | None = None
    extended_to: DueEvidence | None = None
    answered_at: Instant | None = None
    closed_at: Instant
    in_time: bool
    systems: tuple[SystemEvidence, ...] = ()
    notices: tuple[NoticeEvidence, ...] = ()
    chain_heads: dict[str, str]
    events: tuple[EventEvidence, ...]


@dataclass(frozen=True, slots=True)
class CertificateRefused:
    """Why a certificate proves nothing."""

    reason: Reason | Literal["format", "retired_key"]


@dataclass(frozen=True, slots=True)
class EventFindings:
    """How the events at hand compare with those that the certificate names."""

    missing: tuple[UUID, ...]
    changed: tuple[UUID, ...]

    @property
    def agree(self) -> bool:
        return not self.missing and not self.changed


def build_payload(certificate: Certificate) -> bytes:
    """The bytes to sign: the same for the same facts, in whatever order they came."""
    ordered = certificate.model_copy(
        update={
            "systems": tuple(sorted(certificate.systems, key=lambda one: one.system)),
            "notices": tuple(
                sorted(certificate.notices, key=lambda one: (one.handed_over_at, one.notice_id))
            ),
            "events": tuple(sorted(certificate.events, key=lambda one: one.id)),
        }
    )
    return canonical_json(ordered.model_dump(mode="json"))


def evidence_digest(payload: bytes) -> str:
    """What RequestClosed carries: the SHA-256 of the payload's bytes."""
    return sha256_hex(payload)


def sign_certificate(payload: bytes, ring: KeyRing) -> str:
    """The certificate as a compact JWS."""
    return sign(payload, CERTIFICATE_TYPE, ring)


def verify_certificate(token: str, keys: PublicKeys) -> Certificate | CertificateRefused:
    """The certificate, if one of these keys signed it; nothing else is needed."""
    payload = verify(token.strip(), keys, CERTIFICATE_TYPE)
    if isinstance(payload, Unverified):
        return CertificateRefused(payload.reason)
    try:
        found = Certificate.model_validate_json(payload)
    except ValidationError:
        return CertificateRefused("format")
    return found if counts(token, keys, found.closed_at) else CertificateRefused("retired_key")


def check_events(certificate: Certificate, values: Mapping[UUID, bytes]) -> EventFindings:
    """Compare the certificate with the events' raw bytes as they lie on the topics."""
    missing = [event.id for event in certificate.events if event.id not in values]
    changed = [
        event.id
        for event in certificate.events
        if event.id in values and sha256_hex(values[event.id]) != event.sha256
    ]
    return EventFindings(tuple(missing), tuple(changed))
