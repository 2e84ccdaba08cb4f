"""What keeps a person's data out of sight: markers, secrets, hashes, normal forms and the log filter.

Knows no service and no database; every module here can be used by a pure domain.
"""

from shared.privacy.claims import Claims
from shared.privacy.identifiers import InvalidIdentifier, normalise_email, normalise_phone
from shared.privacy.impersonal import IMPERSONAL, impersonal
from shared.privacy.keyring import HmacKeyring
from shared.privacy.lookup import lookup_hash, lookup_hashes
from shared.privacy.redaction import LOG_KEYS, REDACTED, looks_personal, redactor
from shared.privacy.request_secret import check_request_secret, request_secret
from shared.privacy.sealed import SealedField, SealedText
from shared.privacy.secret import Secret, same_secret

__all__ = [
    "IMPERSONAL",
    "LOG_KEYS",
    "REDACTED",
    "Claims",
    "HmacKeyring",
    "InvalidIdentifier",
    "SealedField",
    "SealedText",
    "Secret",
    "check_request_secret",
    "impersonal",
    "looks_personal",
    "lookup_hash",
    "lookup_hashes",
    "normalise_email",
    "normalise_phone",
    "redactor",
    "request_secret",
    "same_secret",
]
