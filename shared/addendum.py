"""An addendum to a certificate: what was found after a request was closed, signed by itself.

The certificate is not changed: an addendum names it by digest, and the event that it is about by id and digest, so
both are checked together with the public key alone.
"""

from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.canonical import canonical_json
from shared.evidence import CertificateRefused, EventEvidence, Instant, Sha256
from shared.signing import KeyRing, PublicKeys, Unverified, sign, verify
from shared.signing.jws import counts

ADDENDUM_TYPE: Final = "habeas-addendum+jws"


class Addendum(BaseModel):
    """One finding: rows that came back to a system, or that they were deleted once more."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    format: Literal["habeas-addendum/1"] = "habeas-addendum/1"
    request_id: UUID
    certificate_sha256: Sha256
    event: EventEvidence
    system: str
    kind: Literal["came_back", "deleted_again"]
    look: str
    count: int
    receipt_digest: str | None = None
    found_at: Instant

    def payload(self) -> bytes:
        """The bytes to sign."""
        return canonical_json(self.model_dump(mode="json"))


def sign_addendum(payload: bytes, ring: KeyRing) -> str:
    """The addendum as a compact JWS."""
    return sign(payload, ADDENDUM_TYPE, ring)


def verify_addendum(token: str, keys: PublicKeys) -> Addendum | CertificateRefused:
    """The addendum, if one of these keys signed it."""
    payload = verify(token.strip(), keys, ADDENDUM_TYPE)
    if isinstance(payload, Unverified):
        return CertificateRefused(payload.reason)
    try:
        found = Addendum.model_validate_json(payload)
    except ValidationError:
        return CertificateRefused("format")
    return found if counts(token, keys, found.found_at) else CertificateRefused("retired_key")
