"""Signing and verifying with our own keys: Ed25519 only, and every use has a type of its own.

The type (`typ`) keeps a signature made for one purpose from being shown for another.
"""

import json
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, Literal

from shared.signing.compact import AllowedAlgorithms, read_header, verified_payload
from shared.signing.keys import KeyRing, PublicKeys

_SIGNED_WITH: Final = "EdDSA"
# An RFC 7638 thumbprint: what else stands there is not repeated.
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_ACCEPTED: Final = AllowedAlgorithms(algorithms=["EdDSA", "Ed25519"])

Reason = Literal["malformed", "algorithm", "type", "unknown_key", "signature"]


@dataclass(frozen=True, slots=True)
class Unverified:
    """Why a signature does not count."""

    reason: Reason


def sign(payload: bytes, typ: str, ring: KeyRing) -> str:
    """A compact JWS over exactly these bytes, by the ring's first key."""
    signed = f"{_header(ring.primary.kid, typ)}.{_base64url(payload)}"
    return f"{signed}.{_base64url(ring.primary.sign(signed.encode()))}"


def verify(token: str, keys: PublicKeys, typ: str) -> bytes | Unverified:
    """The payload's bytes, if one of these keys signed them for this type; nothing is read before that."""
    header = read_header(token)
    if header is None:
        return Unverified("malformed")
    if header.get("alg") not in (_ACCEPTED.allowed or ()):
        return Unverified("algorithm")
    if header.get("typ") != typ:
        return Unverified("type")
    key = keys.get(str(header.get("kid")))
    if key is None:
        return Unverified("unknown_key")
    payload = verified_payload(token, key, _ACCEPTED)
    return Unverified("signature") if payload is None else payload


@lru_cache(maxsize=64)
def _header(kid: str, typ: str) -> str:
    header = {"alg": _SIGNED_WITH, "kid": kid, "typ": typ}
    return _base64url(json.dumps(header, separators=(",", ":")).encode())


def _base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def counts(token: str, keys: PublicKeys, at: datetime) -> bool:
    """Whether the key of a verified token still signed at the date that it bears."""
    return keys.counts(signed_by(token), at)


def signed_by(token: str) -> str:
    """The id of the key that a token names, for a sentence about one that is not at hand; nothing of it is verified."""
    kid = (read_header(token.strip()) or {}).get("kid")
    return kid if isinstance(kid, str) and _KEY_ID.fullmatch(kid) else "without an id"
