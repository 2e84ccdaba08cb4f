"""Signatures and encryption in JOSE form: our own keys, account assertions, submissions and signed commands.

Everything here verifies before it reads, takes the algorithms from a list of its own and the time as an
argument. What an outsider may have sent ends in a value that names a closed reason, never in an exception.
"""

from shared.signing.assertion import Assertion, AssertionRefused, TrustedIssuer, check_assertion
from shared.signing.commands import CommandIdentity, sign_command, verify_command
from shared.signing.directive import VendorKeys, seal_directive
from shared.signing.jws import Unverified, sign, verify
from shared.signing.keys import KeyRing, PublicKeys, SigningKey, jwks_document
from shared.signing.submission import (
    DecryptionKeys,
    SubmissionUnreadable,
    decrypt_submission,
    encrypt_submission,
)

__all__ = [
    "Assertion",
    "AssertionRefused",
    "CommandIdentity",
    "DecryptionKeys",
    "KeyRing",
    "PublicKeys",
    "SigningKey",
    "SubmissionUnreadable",
    "TrustedIssuer",
    "Unverified",
    "VendorKeys",
    "check_assertion",
    "decrypt_submission",
    "encrypt_submission",
    "jwks_document",
    "seal_directive",
    "sign",
    "sign_command",
    "verify",
    "verify_command",
]
