"""Ed25519 keys for what we sign, several at a time so that they can be rotated.

A key's id is its RFC 7638 thumbprint: it follows from the key, so nobody can give one key another's name. A retired
key carries `exp`: what it signed until then stays proved, what is dated later does not count.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from math import ceil
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

Jwk = Mapping[str, Any]


class SigningKey:
    """One private Ed25519 key; its repr shows the id only."""

    __slots__ = ("_key", "_native", "kid", "retired_at")

    def __init__(self, key: OKPKey, retired_at: datetime | None = None) -> None:
        native = key.private_key
        if key.curve_name != "Ed25519" or not isinstance(native, Ed25519PrivateKey):
            raise ValueError("a signing key is a private Ed25519 key")
        self._key = key
        self._native = native
        self.kid = key.thumbprint()
        self.retired_at = retired_at

    @classmethod
    def generate(cls) -> "SigningKey":
        return cls(OKPKey.generate_key("Ed25519", private=True))

    @classmethod
    def from_jwk(cls, jwk: Jwk) -> "SigningKey":
        """A private JWK; anything else is a ValueError that shows nothing of it."""
        try:
            key = OKPKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "d")})
            return cls(key, _retired_at(jwk))
        except (JoseError, KeyError, TypeError, ValueError):
            raise ValueError("a signing key is a private Ed25519 key") from None

    def sign(self, message: bytes) -> bytes:
        """The signature's bytes, for shared.signing alone."""
        return self._native.sign(message)

    def private_jwk(self) -> dict[str, Any]:
        return {**self._key.as_dict(private=True), "kid": self.kid, "use": "sig", **self._ended()}

    def public_jwk(self) -> dict[str, Any]:
        return {**self._key.as_dict(private=False), "kid": self.kid, "use": "sig", **self._ended()}

    def retired(self, at: datetime) -> "SigningKey":
        """The same key, which signs nothing from then on."""
        return SigningKey(self._key, at)

    def _ended(self) -> dict[str, int]:
        return {"exp": ceil(self.retired_at.timestamp())} if self.retired_at else {}

    def __repr__(self) -> str:
        return f"SigningKey({self.kid})"


class PublicKeys:
    """The Ed25519 public keys that a signature may come from, by id."""

    __slots__ = ("_keys", "_retired")

    def __init__(self, jwks: Iterable[Jwk]) -> None:
        ours = [jwk for jwk in jwks if jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519"]
        keys = [(_import_public(jwk), _retired_at(jwk)) for jwk in ours]
        self._keys = {key.thumbprint(): key for key, _ in keys}
        self._retired = {key.thumbprint(): at for key, at in keys if at is not None}

    @classmethod
    def from_document(cls, document: bytes) -> "PublicKeys":
        """From a JWKS or from a single JWK; keys of other kinds in it are left aside."""
        return cls(read_jwks(document))

    def get(self, kid: str) -> OKPKey | None:
        return self._keys.get(kid)

    def counts(self, kid: str, at: datetime) -> bool:
        """Whether what this key signed with that date counts: a retired key signs nothing any more."""
        retired_at = self._retired.get(kid)
        return retired_at is None or at < retired_at

    def __len__(self) -> int:
        return len(self._keys)


class KeyRing:
    """Our signing keys: the first one signs, all of them are published."""

    __slots__ = ("keys",)

    def __init__(self, keys: Iterable[SigningKey]) -> None:
        self.keys = tuple(keys)
        if not self.keys:
            raise ValueError("a key ring holds at least one key")

    @classmethod
    def generate(cls) -> "KeyRing":
        return cls([SigningKey.generate()])

    @classmethod
    def from_document(cls, document: bytes) -> "KeyRing":
        return cls(SigningKey.from_jwk(jwk) for jwk in read_jwks(document))

    @property
    def primary(self) -> SigningKey:
        return self.keys[0]

    def rotated(self) -> "KeyRing":
        """The same keys behind a new first one."""
        return KeyRing([SigningKey.generate(), *self.keys])

    def retired(self, kid: str, at: datetime) -> "KeyRing":
        """The same keys, of which one ends; ValueError for the one that signs, and for one that is not there."""
        if kid not in {key.kid for key in self.keys[1:]}:
            raise ValueError("only an older key of the ring can be retired")
        return KeyRing(key.retired(at) if key.kid == kid else key for key in self.keys)

    def private_document(self) -> bytes:
        return json.dumps({"keys": [key.private_jwk() for key in self.keys]}, indent=1).encode()

    def public_jwks(self) -> list[dict[str, Any]]:
        return [key.public_jwk() for key in self.keys]

    def public(self) -> PublicKeys:
        return PublicKeys(self.public_jwks())


class Publishes(Protocol):
    """A set of keys with a public side."""

    def public_jwks(self) -> list[dict[str, Any]]:
        """The public keys as JWKs, the one in use first."""
        ...


def jwks_document(*rings: Publishes) -> dict[str, Any]:
    """What `/.well-known/jwks.json` answers."""
    return {"keys": [jwk for ring in rings for jwk in ring.public_jwks()]}


def read_jwks(document: bytes) -> list[Jwk]:
    """The JWKs of a JWKS document, or the one JWK that it is; anything else is a ValueError."""
    try:
        content = json.loads(document)
    except ValueError:
        raise ValueError("this is no JSON Web Key Set") from None
    jwks = content.get("keys", [content]) if isinstance(content, dict) else []
    if not jwks or not all(isinstance(jwk, dict) and "kty" in jwk for jwk in jwks):
        raise ValueError("this is no JSON Web Key Set")
    return list(jwks)


def _retired_at(jwk: Jwk) -> datetime | None:
    ended = jwk.get("exp")
    try:
        return None if ended is None else datetime.fromtimestamp(ended, UTC)
    except (TypeError, OverflowError, OSError):
        raise ValueError("the key set holds a damaged Ed25519 key") from None


def _import_public(jwk: Jwk) -> OKPKey:
    try:
        return OKPKey.import_key({name: jwk[name] for name in ("kty", "crv", "x")})
    except (JoseError, KeyError, TypeError, ValueError):
        raise ValueError("the key set holds a damaged Ed25519 key") from None
