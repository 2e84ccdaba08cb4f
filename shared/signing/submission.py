"""Claims from upstream systems: they come encrypted to intake's published key, and in no other way."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, import_key

from shared.signing.compact import read_header, read_segment
from shared.signing.keys import Jwk, read_jwks

_ALG: Final = "ECDH-ES+A256KW"
_ENC: Final = "A256GCM"
# Our own list: no compression (a small message could unfold into a huge one), no password-based keys.
_ALGORITHMS: Final = [_ALG, _ENC]
_CURVES: Final = frozenset({"P-256", "X25519"})
_MAX_BYTES: Final = 64_000
_SEPARATORS: Final = 4  # header.key.iv.ciphertext.tag

AgreementKey = ECKey | OKPKey
Reason = Literal["not_a_jwe", "clear_claims", "foreign_key", "undecryptable", "too_large"]


@dataclass(frozen=True, slots=True)
class SubmissionUnreadable:
    """Why claims could not be read; clear claims are refused although they could be."""

    reason: Reason


class DecryptionKeys:
    """Intake's private keys: the first one is the one to encrypt to, all of them decrypt."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[AgreementKey]) -> None:
        self._keys = {key.thumbprint(): key for key in keys}
        good = all(key.curve_name in _CURVES and key.is_private for key in self._keys.values())
        if not self._keys or not good:
            raise ValueError("decryption keys are private keys on P-256 or X25519")

    @classmethod
    def generate(cls) -> "DecryptionKeys":
        return cls([_new_key()])

    @classmethod
    def from_document(cls, document: bytes) -> "DecryptionKeys":
        return cls(_agreement_key(jwk) for jwk in read_jwks(document))

    def get(self, kid: str) -> AgreementKey | None:
        return self._keys.get(kid)

    def primary(self) -> AgreementKey:
        return next(iter(self._keys.values()))

    def rotated(self) -> "DecryptionKeys":
        return DecryptionKeys([_new_key(), *self._keys.values()])

    def private_document(self) -> bytes:
        jwks = [{**key.as_dict(private=True), "kid": kid, "use": "enc"} for kid, key in self._keys.items()]
        return json.dumps({"keys": jwks}, indent=1).encode()

    def public_jwks(self) -> list[dict[str, Any]]:
        common = {"use": "enc", "alg": _ALG}
        return [{**key.as_dict(private=False), "kid": kid, **common} for kid, key in self._keys.items()]

    def __repr__(self) -> str:
        return f"DecryptionKeys({', '.join(self._keys)})"


def decrypt_submission(token: str, keys: DecryptionKeys) -> bytes | SubmissionUnreadable:
    """The claims' bytes, or the reason why they cannot be had."""
    if len(token) > _MAX_BYTES:
        return SubmissionUnreadable("too_large")
    if _is_clear(token):
        return SubmissionUnreadable("clear_claims")
    header = read_segment(token.split(".", maxsplit=1)[0])
    if token.count(".") != _SEPARATORS or not isinstance(header, dict):
        return SubmissionUnreadable("not_a_jwe")
    # Without a kid the sender can only have meant the first key that we publish.
    key = keys.get(str(header["kid"])) if "kid" in header else keys.primary()
    if key is None:
        return SubmissionUnreadable("foreign_key")
    return _decrypt(token, key)


def encrypt_submission(claims: bytes, jwk: Jwk) -> str:
    """Claims encrypted to one of intake's published keys; what an upstream system does."""
    return encrypt_to(claims, jwk)


def encrypt_to(content: bytes, jwk: Jwk, **more: str) -> str:
    """Any content encrypted to somebody's public key, `more` beside the key's id in the header.

    Raises:
        ValueError: the key is damaged, or of a kind that we do not encrypt to.
    """
    key = _agreement_key({name: value for name, value in jwk.items() if name in {"kty", "crv", "x", "y"}})
    header = {"alg": _ALG, "enc": _ENC, "kid": str(jwk.get("kid", key.thumbprint())), **more}
    return jwe.encrypt_compact(header, content, key, algorithms=_ALGORITHMS)


def _decrypt(token: str, key: AgreementKey) -> bytes | SubmissionUnreadable:
    try:
        plaintext = jwe.decrypt_compact(token, key, algorithms=_ALGORITHMS).plaintext
    except (JoseError, ValueError, TypeError, KeyError):
        return SubmissionUnreadable("undecryptable")
    return SubmissionUnreadable("undecryptable") if plaintext is None else plaintext


def _is_clear(token: str) -> bool:
    """Whether the claims can be read without a key: as JSON, or inside a token that is only signed."""
    if read_header(token) is not None:
        return isinstance(read_segment(token.split(".")[1]), dict | list)
    try:
        found = json.loads(token)
    except (ValueError, RecursionError):
        return False
    return not (isinstance(found, dict) and "ciphertext" in found)


def _new_key() -> AgreementKey:
    return ECKey.generate_key("P-256", private=True)


def _agreement_key(jwk: Jwk) -> AgreementKey:
    try:
        key = import_key(dict(jwk), "EC" if jwk["kty"] == "EC" else "OKP")
    except (JoseError, KeyError, TypeError, ValueError):
        raise ValueError("the key set holds a damaged key") from None
    if key.curve_name not in _CURVES:
        raise ValueError("a key to encrypt to is on P-256 or X25519")
    return key
