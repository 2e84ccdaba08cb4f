"""HMAC keys with versions, so that a key can be changed while older hashes stay comparable."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from shared.privacy.secret import Secret


@dataclass(frozen=True, slots=True)
class HmacKeyring:
    """Several versions of one key; `primary` makes new values, the others are still understood."""

    primary: str
    keys: Mapping[str, Secret[bytes]]

    def __post_init__(self) -> None:
        if self.primary not in self.keys:
            raise ValueError("the keyring's primary version is not among its keys")

    @property
    def versions(self) -> tuple[str, ...]:
        """Every version, the primary one first."""
        return (self.primary, *sorted(v for v in self.keys if v != self.primary))

    def digest(self, message: bytes, version: str) -> bytes:
        """HMAC-SHA256 of the message under the named version; an unknown version is a KeyError."""
        return hmac.digest(self.keys[version].reveal(), message, hashlib.sha256)
