"""The outside of a compact JWS, read strictly and before anything in it is believed."""

import json
from base64 import urlsafe_b64decode
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import Key

_SEPARATORS = 2  # header.payload.signature


class AllowedAlgorithms(jws.JWSRegistry):
    """joserfc's registry, narrowed to the algorithms named here.

    It answers for EdDSA without joserfc's warning about RFC 9864: ADR 0011 says why that name is kept.
    """

    max_payload_length = 1_000_000

    def get_alg(self, name: str) -> Any:
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError("this algorithm is not allowed")
        return self.algorithms[name]


def read_header(token: str) -> dict[str, Any] | None:
    """The protected header of a compact JWS, or None where this is none. Nothing in it is verified."""
    if token.count(".") != _SEPARATORS or not token.isascii():
        return None
    header = read_segment(token.split(".", maxsplit=1)[0])
    if not isinstance(header, dict):
        return None
    # `crit` and the detached forms would change what is verified; nothing that we accept uses them.
    return None if "crit" in header or "b64" in header else header


def verified_payload(token: str, key: Key, registry: AllowedAlgorithms) -> bytes | None:
    """The payload if the signature is good under this key, else None."""
    try:
        return jws.deserialize_compact(token, key, registry=registry).payload
    except (JoseError, ValueError, TypeError):
        return None


def read_segment(segment: str) -> Any:
    """The JSON value in one base64url segment, or None where there is none."""
    try:
        return json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, RecursionError):
        return None
