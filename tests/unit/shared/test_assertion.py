import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from shared.signing import Assertion, AssertionRefused, TrustedIssuer, check_assertion

NOW = datetime(2026, 1, 15, 18, tzinfo=UTC)
LEEWAY = timedelta(seconds=60)
ISSUER, AUDIENCE = "https://id.cascadia.test", "habeas"
KEY = ECKey.generate_key("P-256")
RSA = RSAKey.generate_key(2048)
ED = OKPKey.generate_key("Ed25519")


def seconds(offset: timedelta = timedelta()) -> int:
    return int((NOW + offset).timestamp())


CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "account-7",
    "aud": AUDIENCE,
    "exp": seconds(timedelta(minutes=5)),
    "iat": seconds(),
    "auth_time": seconds(-timedelta(minutes=1)),
    "email": "ann@example.com",
    "email_verified": True,
}


def an_issuer(*keys: Key, issuer: str = ISSUER, max_age: timedelta | None = None) -> TrustedIssuer:
    jwks = [key.as_dict(private=False, kid=f"k{number}") for number, key in enumerate(keys or (KEY,))]
    return TrustedIssuer(issuer, jwks, max_sign_in_age=max_age)


def a_token(
    claims: dict[str, Any] | None = None,
    *,
    alg: str = "ES256",
    key: Key = KEY,
    header: dict[str, Any] | None = None,
) -> str:
    protected = {"alg": alg, "kid": "k0", "typ": "JWT", **(header or {})}
    protected = {name: value for name, value in protected.items() if value is not None}
    body = {name: value for name, value in {**CLAIMS, **(claims or {})}.items() if value is not ...}
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    return jws.serialize_compact(protected, json.dumps(body), key, registry=registry)


def check(token: str, *issuers: TrustedIssuer, now: datetime = NOW) -> Assertion | AssertionRefused:
    return check_assertion(token, issuers or (an_issuer(),), audience=AUDIENCE, now=now, leeway=LEEWAY)


def refused(reason: str) -> object:
    return AssertionRefused(reason)  # type: ignore[arg-type]


def test_a_good_assertion_says_who_is_signed_in() -> None:
    found = check(a_token({"phone_number": "+12025550123"}))

    assert isinstance(found, Assertion)
    assert (found.sub, found.email, found.email_verified) == ("account-7", "ann@example.com", True)
    assert (found.phone, found.phone_verified) == ("+12025550123", False)
    assert found.auth_time == NOW - timedelta(minutes=1)
    assert "ann" not in repr(found)
    assert "account-7" not in repr(found)


@pytest.mark.parametrize(("alg", "key"), [("ES256", KEY), ("RS256", RSA), ("Ed25519", ED)])
def test_the_listed_algorithms_are_accepted(alg: str, key: Key) -> None:
    assert isinstance(check(a_token(alg=alg, key=key), an_issuer(key)), Assertion)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_the_older_name_of_ed25519_is_accepted() -> None:
    assert isinstance(check(a_token(alg="EdDSA", key=ED), an_issuer(ED)), Assertion)


@pytest.mark.parametrize("alg", ["none", "HS256", "HS512", "RS384", "PS256", "ES384", "", 7, ["ES256"], None])
def test_no_other_algorithm_is_accepted(alg: object) -> None:
    _, payload, signature = a_token().split(".")
    header = json.dumps({"alg": alg, "kid": "k0"}).encode()

    forged = f"{_b64(header)}.{payload}.{signature}"

    assert check(forged) == refused("algorithm")


def _b64(data: bytes) -> str:
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(data).rstrip(b"=").decode()


def test_the_issuers_public_key_used_as_a_shared_secret_proves_nothing() -> None:
    secret = OctKey.import_key(json.dumps(RSA.as_dict(private=False)))

    assert check(a_token(alg="HS256", key=secret), an_issuer(RSA)) == refused("algorithm")


def test_the_keys_kind_decides_and_not_the_token() -> None:
    assert check(a_token(), an_issuer(RSA)) == refused("unknown_key")


def test_a_token_without_a_key_id_is_tried_with_every_key_that_fits() -> None:
    other = ECKey.generate_key("P-256")

    assert isinstance(check(a_token(header={"kid": None}), an_issuer(other, KEY, RSA)), Assertion)
    assert check(a_token(header={"kid": "k9"})) == refused("unknown_key")


@pytest.mark.parametrize("extra", [{"jwk": KEY.as_dict(private=False)}, {"jku": "https://evil.test/jwks"}])
def test_a_key_that_the_token_points_to_is_not_used(extra: dict[str, Any]) -> None:
    stranger = ECKey.generate_key("P-256")

    assert check(a_token(key=stranger, header=extra)) == refused("signature")


def test_a_changed_claim_does_not_verify() -> None:
    header, _, signature = a_token().split(".")
    payload = a_token({"email": "eve@example.com"}).split(".")[1]

    assert check(f"{header}.{payload}.{signature}") == refused("signature")


def test_one_issuers_key_does_not_speak_for_another() -> None:
    theirs = an_issuer(KEY, issuer="https://id.other.test")

    assert check(a_token(), theirs) == refused("issuer")


@pytest.mark.parametrize("aud", ["another", ["another"], [], "habeas2"])
def test_a_token_for_somebody_else_is_refused(aud: object) -> None:
    assert check(a_token({"aud": aud})) == refused("audience")


def test_one_audience_of_several_is_enough() -> None:
    assert isinstance(check(a_token({"aud": ["another", AUDIENCE]})), Assertion)


EXPIRES = NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (EXPIRES + LEEWAY - timedelta(seconds=1), None),
        (EXPIRES + LEEWAY, "expired"),
        (NOW + timedelta(days=400), "expired"),
    ],
)
def test_a_token_is_good_until_it_expires_and_a_minute_longer(now: datetime, expected: str | None) -> None:
    found = check(a_token(), now=now)

    assert isinstance(found, Assertion) if expected is None else found == refused(expected)


@pytest.mark.parametrize("claim", ["nbf", "iat", "auth_time"])
def test_a_token_from_the_future_is_not_valid_yet(claim: str) -> None:
    assert isinstance(check(a_token({claim: seconds(LEEWAY)})), Assertion)
    assert check(a_token({claim: seconds(LEEWAY) + 1})) == refused("not_yet_valid")


def test_a_sign_in_may_be_asked_to_be_recent() -> None:
    issuer = an_issuer(max_age=timedelta(minutes=10))

    assert isinstance(check(a_token({"auth_time": seconds(-timedelta(minutes=10))}), issuer), Assertion)
    assert check(a_token({"auth_time": seconds(-timedelta(minutes=11))}), issuer) == refused("stale_sign_in")


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp", "auth_time"])
def test_a_claim_that_is_needed_must_be_there(claim: str) -> None:
    assert check(a_token({claim: ...})) == refused("incomplete")


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": "soon"},
        {"exp": str(seconds(LEEWAY))},
        {"exp": True},
        {"exp": 1e300},
        {"exp": -1},
        {"exp": float("nan")},
        {"sub": ""},
        {"sub": 7},
        {"aud": {"habeas": 1}},
        {"email": ["ann@example.com"]},
    ],
)
def test_a_claim_of_the_wrong_kind_is_refused(claims: dict[str, Any]) -> None:
    assert check(a_token(claims)) == refused("incomplete")


@pytest.mark.parametrize("said", ["true", "false", 1, None])
def test_only_a_true_verified_counts(said: object) -> None:
    found = check(a_token({"email_verified": said}))

    assert isinstance(found, Assertion)
    assert found.email_verified is False


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 20_000, "e30.e30", "W10.e30.eA"])
def test_what_is_no_token_is_malformed(token: str) -> None:
    assert check(token) in (refused("malformed"), refused("algorithm"))


def test_an_access_token_is_no_assertion() -> None:
    assert check(a_token(header={"typ": "at+jwt"})) == refused("malformed")
    assert isinstance(check(a_token(header={"typ": None})), Assertion)


def test_a_payload_that_is_no_object_is_incomplete() -> None:
    token = jws.serialize_compact({"alg": "ES256", "kid": "k0"}, b"[]", KEY, algorithms=["ES256"])

    assert check(token) == refused("incomplete")


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_weak_and_foreign_keys_are_left_aside() -> None:
    weak = RSAKey.generate_key(1024)
    shared = OctKey.generate_key(256)
    encryption = {**KEY.as_dict(private=False), "use": "enc"}
    issuer = TrustedIssuer(ISSUER, [weak.as_dict(private=False), shared.as_dict(), encryption, {"kty": "EC"}])

    assert check(a_token(alg="RS256", key=weak, header={"kid": None}), issuer) == refused("unknown_key")
    assert check(a_token(header={"kid": None}), issuer) == refused("unknown_key")
