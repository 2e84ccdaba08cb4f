"""What a business's identity provider says of an account: believed only signed, fresh and meant for us."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.signing.compact import AllowedAlgorithms, read_header, verified_payload
from shared.signing.keys import Jwk, read_jwks

# The key's kind decides the algorithm, never the token: so there is no algorithm confusion.
_ALGORITHM_OF: Final = {
    ("OKP", "Ed25519"): ("EdDSA", "Ed25519"),
    ("EC", "P-256"): ("ES256",),
    ("RSA", None): ("RS256",),
}
_ALLOWED: Final = frozenset(name for names in _ALGORITHM_OF.values() for name in names)
_MAX_LENGTH: Final = 16_000
_SMALLEST_RSA_MODULUS: Final = 342  # base64url characters of 2048 bits

_YEAR_3000: Final = 32_503_680_000
_Seconds = Annotated[float, Field(ge=0, le=_YEAR_3000, allow_inf_nan=False)]
Reason = Literal[
    "malformed",
    "algorithm",
    "unknown_key",
    "signature",
    "issuer",
    "audience",
    "expired",
    "not_yet_valid",
    "incomplete",
    "stale_sign_in",
]


@dataclass(frozen=True, slots=True)
class Assertion:
    """The account that is signed in; its repr shows nothing of the person."""

    iss: str
    sub: str = field(repr=False)
    auth_time: datetime
    email: str | None = field(repr=False)
    email_verified: bool
    phone: str | None = field(repr=False)
    phone_verified: bool


@dataclass(frozen=True, slots=True)
class AssertionRefused:
    """Why an assertion is not believed."""

    reason: Reason


class TrustedIssuer:
    """An identity provider of a business: its name, its public keys, and how old a sign-in may be."""

    __slots__ = ("_keys", "issuer", "max_sign_in_age")

    def __init__(self, issuer: str, jwks: Iterable[Jwk], *, max_sign_in_age: timedelta | None = None) -> None:
        self.issuer = issuer
        self.max_sign_in_age = max_sign_in_age
        self._keys = tuple(key for jwk in jwks if (key := _import(jwk)) is not None)

    @classmethod
    def from_document(
        cls, issuer: str, document: bytes, *, max_sign_in_age: timedelta | None = None
    ) -> "TrustedIssuer":
        return cls(issuer, read_jwks(document), max_sign_in_age=max_sign_in_age)

    def keys_for(self, kid: object, alg: str) -> Iterator[Key]:
        """The keys that may have made such a signature; without a kid, all that fit the algorithm."""
        for key_id, algorithms, key in self._keys:
            if alg in algorithms and kid in (None, key_id):
                yield key


def check_assertion(
    token: str,
    issuers: Iterable[TrustedIssuer],
    *,
    audience: str,
    now: datetime,
    leeway: timedelta = timedelta(seconds=60),
) -> Assertion | AssertionRefused:
    """The account that the token asserts, or the first reason not to believe it."""
    header = read_header(token) if len(token) <= _MAX_LENGTH else None
    if header is None or str(header.get("typ", "JWT")).upper() != "JWT":
        return AssertionRefused("malformed")
    if str(header.get("alg")) not in _ALLOWED:
        return AssertionRefused("algorithm")
    verified = _verified(token, header, issuers)
    if isinstance(verified, AssertionRefused):
        return verified
    issuer, claims = verified
    fault = _fault(claims, issuer, audience) or _time_fault(claims, issuer, _Clock(now, leeway))
    return AssertionRefused(fault) if fault else _assertion(claims)


def _verified(
    token: str, header: Mapping[str, Any], issuers: Iterable[TrustedIssuer]
) -> tuple[TrustedIssuer, "_Claims"] | AssertionRefused:
    kid, alg = header.get("kid"), str(header["alg"])
    candidates = [(issuer, key) for issuer in issuers for key in issuer.keys_for(kid, alg)]
    registry = AllowedAlgorithms(algorithms=[alg], strict_check_header=False)
    for issuer, key in candidates:
        payload = verified_payload(token, key, registry)
        if payload is not None:
            claims = _claims(payload)
            return AssertionRefused("incomplete") if claims is None else (issuer, claims)
    return AssertionRefused("signature" if candidates else "unknown_key")


@dataclass(frozen=True, slots=True)
class _Clock:
    now: datetime
    leeway: timedelta

    def has_passed(self, at: datetime) -> bool:
        return self.now - self.leeway >= at

    def is_ahead(self, at: datetime) -> bool:
        return at > self.now + self.leeway


class _Claims(BaseModel):
    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    iss: str
    sub: Annotated[str, Field(min_length=1)]
    aud: str | list[str]
    exp: _Seconds
    auth_time: _Seconds
    nbf: _Seconds = 0
    iat: _Seconds = 0
    email: str | None = None
    phone_number: str | None = None
    # Some providers send the text "true"; only a JSON true counts.
    email_verified: Any = False
    phone_number_verified: Any = False


def _claims(payload: bytes) -> _Claims | None:
    try:
        return _Claims.model_validate_json(payload)
    except ValidationError:
        return None


def _fault(claims: _Claims, issuer: TrustedIssuer, audience: str) -> Reason | None:
    if claims.iss != issuer.issuer:
        return "issuer"
    meant_for = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    return None if audience in meant_for else "audience"


def _time_fault(claims: _Claims, issuer: TrustedIssuer, clock: _Clock) -> Reason | None:
    if clock.has_passed(_time(claims.exp)):
        return "expired"
    if clock.is_ahead(_time(max(claims.nbf, claims.iat, claims.auth_time))):
        return "not_yet_valid"
    age = issuer.max_sign_in_age
    is_stale = age is not None and clock.has_passed(_time(claims.auth_time) + age)
    return "stale_sign_in" if is_stale else None


def _assertion(claims: _Claims) -> Assertion:
    return Assertion(
        iss=claims.iss,
        sub=claims.sub,
        auth_time=_time(claims.auth_time),
        email=claims.email,
        email_verified=claims.email_verified is True,
        phone=claims.phone_number,
        phone_verified=claims.phone_number_verified is True,
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _import(jwk: Jwk) -> tuple[str, tuple[str, ...], Key] | None:
    """A public key with its id and algorithms; None where its kind is not on the list."""
    algorithms = _ALGORITHM_OF.get((str(jwk.get("kty")), jwk.get("crv")))
    if algorithms is None or jwk.get("use", "sig") != "sig":
        return None
    try:
        key = _import_public(jwk)
    except (JoseError, KeyError, ValueError):
        return None
    return str(jwk.get("kid", key.thumbprint())), algorithms, key


def _import_public(jwk: Jwk) -> Key:
    if jwk["kty"] == "RSA":
        if len(jwk["n"]) < _SMALLEST_RSA_MODULUS:
            raise ValueError("an RSA key has at least 2048 bits")
        return RSAKey.import_key({name: jwk[name] for name in ("kty", "n", "e")})
    if jwk["kty"] == "EC":
        return ECKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "y")})
    return OKPKey.import_key({name: jwk[name] for name in ("kty", "crv", "x")})
