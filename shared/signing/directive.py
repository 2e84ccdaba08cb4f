"""What a vendor is told of a person: signed by us, then encrypted to the vendor, so that nobody else reads it.

A vendor keeps several keys at once while it changes them: the first one meant for encryption is encrypted to, and
whatever any of its signing keys signed is its own.
"""

from collections.abc import Iterable

from shared.signing.jws import sign
from shared.signing.keys import Jwk, KeyRing, PublicKeys, read_jwks
from shared.signing.submission import encrypt_to

DIRECTIVE_TYPE = "habeas-directive+jws"


class VendorKeys:
    """A vendor's public keys; one that holds none to encrypt to is refused."""

    __slots__ = ("encrypts", "signs")

    def __init__(self, jwks: Iterable[Jwk]) -> None:
        keys = list(jwks)
        meant = [key for key in keys if key.get("use") == "enc"]
        if not meant or any("d" in key for key in keys):
            raise ValueError("a vendor's key set holds public keys, one of them meant for encryption")
        self.encrypts = meant[0]
        self.signs = PublicKeys(key for key in keys if key.get("use") == "sig")

    @classmethod
    def from_document(cls, document: bytes) -> "VendorKeys":
        return cls(read_jwks(document))


def seal_directive(content: bytes, ring: KeyRing, keys: VendorKeys) -> str:
    """The content's exact bytes in a JWS by our first key, inside of a JWE to the vendor's."""
    signed = sign(content, DIRECTIVE_TYPE, ring)
    return encrypt_to(signed.encode(), keys.encrypts, cty=DIRECTIVE_TYPE)
