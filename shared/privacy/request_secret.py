"""The bearer secret that a requester gets at submission.

It is derived from the request's id and never stored: a repeated submission (same Idempotency-Key) can be
answered with the same secret, and nobody who reads the database can withdraw a request.
"""

from base64 import urlsafe_b64encode
from uuid import UUID

from shared.privacy.keyring import HmacKeyring
from shared.privacy.secret import Secret, same_secret


def request_secret(keyring: HmacKeyring, request_id: UUID) -> Secret[str]:
    """`<key version>.<base64url>`, always the same for one request and version."""
    return Secret(_derive(keyring, request_id, keyring.primary))


def check_request_secret(keyring: HmacKeyring, request_id: UUID, presented: str) -> bool:
    """Whether this is the request's secret, under any version that the keyring still holds."""
    version = presented.partition(".")[0]
    if version not in keyring.keys:
        return False
    return same_secret(presented, _derive(keyring, request_id, version))


def _derive(keyring: HmacKeyring, request_id: UUID, version: str) -> str:
    digest = keyring.digest(b"request-secret\x00" + request_id.bytes, version)
    return f"{version}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"
