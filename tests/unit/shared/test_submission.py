import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe, jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from shared.signing import DecryptionKeys, SubmissionUnreadable, decrypt_submission, encrypt_submission

CLAIMS = b'{"email": "ann@example.com"}'
KEYS = DecryptionKeys.generate()
PUBLISHED = KEYS.public_jwks()[0]


def refused(reason: str) -> object:
    return SubmissionUnreadable(reason)  # type: ignore[arg-type]


def encrypted(
    header: dict[str, str], key: ECKey | OKPKey | OctKey | RSAKey, plaintext: bytes = CLAIMS
) -> str:
    names = [value for name, value in header.items() if name != "kid"]
    return jwe.encrypt_compact(dict(header), plaintext, key, algorithms=names)


@given(st.binary(max_size=2000))
def test_claims_come_back_byte_for_byte(claims: bytes) -> None:
    assert decrypt_submission(encrypt_submission(claims, PUBLISHED), KEYS) == claims


def test_the_curve_x25519_serves_too() -> None:
    keys = DecryptionKeys([OKPKey.generate_key("X25519")])

    assert decrypt_submission(encrypt_submission(CLAIMS, keys.public_jwks()[0]), keys) == CLAIMS


def test_after_a_rotation_the_new_key_is_published_first_and_the_old_one_still_opens() -> None:
    rotated = KEYS.rotated()

    assert rotated.public_jwks()[0]["kid"] != PUBLISHED["kid"]
    assert decrypt_submission(encrypt_submission(CLAIMS, PUBLISHED), rotated) == CLAIMS


def test_a_message_without_a_key_id_is_tried_with_the_first_key() -> None:
    public = ECKey.import_key({name: PUBLISHED[name] for name in ("kty", "crv", "x", "y")})

    assert decrypt_submission(encrypted({"alg": "ECDH-ES+A256KW", "enc": "A256GCM"}, public), KEYS) == CLAIMS


@pytest.mark.parametrize("clear", ['{"email": "ann@example.com"}', " [1] ", '"ann@example.com"', "1"])
def test_clear_claims_are_refused_although_they_could_be_read(clear: str) -> None:
    assert decrypt_submission(clear, KEYS) == refused("clear_claims")


def test_claims_that_are_signed_and_not_encrypted_are_clear() -> None:
    token = jws.serialize_compact({"alg": "HS256"}, CLAIMS, OctKey.generate_key(256), algorithms=["HS256"])

    assert decrypt_submission(token, KEYS) == refused("clear_claims")


@pytest.mark.parametrize(
    "text", ["", "x", "a.b.c", "a.b.c.d.e", "é.é.é.é.é", "....", '{"ciphertext": "x"}', "[" * 30_000]
)
def test_what_is_no_jwe_is_refused(text: str) -> None:
    assert decrypt_submission(text, KEYS) == refused("not_a_jwe")


def test_claims_for_somebody_elses_key_are_refused() -> None:
    token = encrypt_submission(CLAIMS, DecryptionKeys.generate().public_jwks()[0])

    assert decrypt_submission(token, KEYS) == refused("foreign_key")


def test_too_much_is_refused_before_anything_is_read() -> None:
    assert decrypt_submission("x" * 64_001, KEYS) == refused("too_large")
    assert decrypt_submission(encrypt_submission(b"x" * 60_000, PUBLISHED), KEYS) == refused("too_large")


@pytest.mark.parametrize("part", range(5))
def test_a_change_anywhere_makes_it_undecryptable(part: int) -> None:
    parts = encrypt_submission(CLAIMS, PUBLISHED).split(".")
    if part == 0:
        foreign = encrypt_submission(CLAIMS, PUBLISHED).split(".")
        parts[0] = foreign[0]
    else:
        parts[part] = ("B" if parts[part][0] == "A" else "A") + parts[part][1:]

    assert decrypt_submission(".".join(parts), KEYS) == refused("undecryptable")


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "dir", "enc": "A256GCM"},
        {"alg": "A256KW", "enc": "A256GCM"},
        {"alg": "PBES2-HS256+A128KW", "enc": "A256GCM"},
    ],
)
def test_other_algorithms_are_refused(header: dict[str, str]) -> None:
    token = encrypted({**header, "kid": PUBLISHED["kid"]}, OctKey.generate_key(256))

    assert decrypt_submission(token, KEYS) == refused("undecryptable")


def test_compression_is_refused_so_that_nothing_small_unfolds_into_something_huge() -> None:
    public = ECKey.import_key({name: PUBLISHED[name] for name in ("kty", "crv", "x", "y")})
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "zip": "DEF", "kid": PUBLISHED["kid"]}

    assert decrypt_submission(encrypted(header, public), KEYS) == refused("undecryptable")


def test_the_keys_show_no_private_part() -> None:
    private = json.loads(KEYS.private_document())["keys"][0]["d"]

    assert private not in repr(KEYS)
    assert "d" not in PUBLISHED
    assert DecryptionKeys.from_document(KEYS.private_document()).public_jwks() == KEYS.public_jwks()


def test_only_private_keys_on_the_two_curves_decrypt() -> None:
    public = ECKey.import_key({name: PUBLISHED[name] for name in ("kty", "crv", "x", "y")})

    for keys in ([], [public], [ECKey.generate_key("P-384")], [OKPKey.generate_key("Ed25519")]):
        with pytest.raises(ValueError, match="P-256 or X25519"):
            DecryptionKeys(keys)
