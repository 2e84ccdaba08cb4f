import json
from base64 import urlsafe_b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey

from shared.signing import (
    CommandIdentity,
    KeyRing,
    PublicKeys,
    SigningKey,
    Unverified,
    jwks_document,
    sign,
    sign_command,
    verify,
    verify_command,
)

RING = KeyRing.generate()
PUBLIC = RING.public()
TYP = "habeas-test+jws"
COMMAND = CommandIdentity(
    source="habeas/cli", id="1", type="dsar.fulfillment.place-hold.v1", subject="r1", actor="ann"
)


def a_token(header: dict[str, object], payload: bytes = b"{}", signature: bytes = b"x") -> str:
    parts = (json.dumps(header).encode(), payload, signature)
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@given(st.binary(max_size=500))
def test_what_is_signed_comes_back_byte_for_byte(payload: bytes) -> None:
    assert verify(sign(payload, TYP, RING), PUBLIC, TYP) == payload


def test_after_a_rotation_new_and_old_signatures_verify() -> None:
    before = sign(b"x", TYP, RING)
    rotated = RING.rotated()

    after = sign(b"x", TYP, rotated)

    assert verify(before, rotated.public(), TYP) == b"x"
    assert verify(after, rotated.public(), TYP) == b"x"
    assert verify(after, PUBLIC, TYP) == Unverified("unknown_key")


def test_a_signature_made_for_one_purpose_does_not_serve_another() -> None:
    assert verify(sign(b"x", TYP, RING), PUBLIC, "habeas-other+jws") == Unverified("type")


def test_a_changed_payload_header_or_signature_does_not_verify() -> None:
    header, payload, signature = sign(b'{"a":1}', TYP, RING).split(".")
    other_header, other_payload, other_signature = sign(b'{"a":2}', TYP, RING).split(".")
    spaced = a_token({"alg": "EdDSA", "kid": RING.primary.kid, "typ": TYP}).split(".", maxsplit=1)[0]

    assert other_header == header
    assert verify(f"{header}.{other_payload}.{signature}", PUBLIC, TYP) == Unverified("signature")
    assert verify(f"{header}.{payload}.{other_signature}", PUBLIC, TYP) == Unverified("signature")
    assert verify(f"{spaced}.{payload}.{signature}", PUBLIC, TYP) == Unverified("signature")


@pytest.mark.parametrize("alg", ["none", "HS256", "RS256", "ES256", "Ed448", "eddsa", "", None, ["EdDSA"]])
def test_no_other_algorithm_is_accepted(alg: object) -> None:
    token = a_token({"alg": alg, "kid": RING.primary.kid, "typ": TYP})

    assert verify(token, PUBLIC, TYP) == Unverified("algorithm")


def test_our_public_key_used_as_a_shared_secret_proves_nothing() -> None:
    secret = OctKey.import_key(json.dumps(RING.primary.public_jwk()))
    header = {"alg": "HS256", "kid": RING.primary.kid, "typ": TYP}
    token = jws.serialize_compact(header, b"x", secret, algorithms=["HS256"])

    assert verify(token, PUBLIC, TYP) == Unverified("algorithm")


@pytest.mark.parametrize(
    "token",
    ["", "a", "a.b", "a.b.c", "a.b.c.d", "é.b.c", "..", "W10.e30.eA", "[" * 5000 + ".b.c", "eyJhIjox.b.c"],
)
def test_what_is_no_token_is_malformed(token: str) -> None:
    assert verify(token, PUBLIC, TYP) == Unverified("malformed")


@pytest.mark.parametrize("extra", [{"crit": ["b64"], "b64": False}, {"crit": ["exp"]}, {"b64": False}])
def test_a_header_that_would_change_what_is_verified_is_refused(extra: dict[str, object]) -> None:
    token = a_token({"alg": "EdDSA", "kid": RING.primary.kid, "typ": TYP, **extra})

    assert verify(token, PUBLIC, TYP) == Unverified("malformed")


@given(st.binary(max_size=300))
def test_a_token_is_byte_for_byte_what_the_library_makes(payload: bytes) -> None:
    key = OKPKey.import_key(RING.primary.private_jwk())
    header = {"alg": "EdDSA", "kid": RING.primary.kid, "typ": TYP}

    with pytest.warns(SecurityWarning, match="RFC 9864"):
        expected = jws.serialize_compact(header, payload, key, algorithms=["EdDSA"])

    assert sign(payload, TYP, RING) == expected


def test_a_key_that_the_token_brings_along_is_not_used() -> None:
    stranger = SigningKey.generate()
    token = jws.serialize_compact(
        {"alg": "Ed25519", "kid": RING.primary.kid, "typ": TYP, "jwk": stranger.public_jwk()},
        b"x",
        OKPKey.import_key(stranger.private_jwk()),
        algorithms=["Ed25519"],
    )

    assert verify(token, PUBLIC, TYP) == Unverified("signature")


def test_a_key_is_known_by_its_thumbprint_whatever_name_it_claims() -> None:
    stranger = SigningKey.generate()
    keys = PublicKeys([{**stranger.public_jwk(), "kid": RING.primary.kid}])

    assert keys.get(RING.primary.kid) is None
    assert keys.get(stranger.kid) is not None


def test_the_published_document_holds_no_private_part() -> None:
    document = jwks_document(RING, RING.rotated())

    assert len(document["keys"]) == 3
    assert not any("d" in jwk for jwk in document["keys"])
    assert len(PublicKeys.from_document(json.dumps(document).encode())) == 2


def test_keys_come_back_from_their_file_and_never_show_themselves() -> None:
    again = KeyRing.from_document(RING.private_document())

    assert again.primary.kid == RING.primary.kid
    assert RING.primary.private_jwk()["d"] not in repr((RING.primary, RING))


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"keys": []}', b'{"keys": [1]}', b"\xff"])
def test_what_is_no_key_set_is_refused_in_one_sentence(document: bytes) -> None:
    with pytest.raises(ValueError, match="JSON Web Key Set"):
        PublicKeys.from_document(document)


def test_only_a_private_ed25519_key_signs() -> None:
    for key in (OKPKey.generate_key("X25519"), OKPKey.import_key(RING.primary.public_jwk())):
        with pytest.raises(ValueError, match="Ed25519"):
            SigningKey(key)
    assert len(PublicKeys([ECKey.generate_key("P-256").as_dict(private=False)])) == 0


def test_a_signed_command_verifies_as_what_it_is() -> None:
    signature = sign_command(b'{"actor":"ann"}', COMMAND, RING)

    assert verify_command(signature, b'{"actor":"ann"}', COMMAND, PUBLIC) is None
    assert ".." in signature


@pytest.mark.parametrize("changed", ["source", "id", "type", "subject", "actor"])
def test_a_signed_command_cannot_become_another(changed: str) -> None:
    signature = sign_command(b"{}", COMMAND, RING)

    other = replace(COMMAND, **{changed: "another"})

    assert verify_command(signature, b"{}", other, PUBLIC) == Unverified("signature")


def test_a_signed_commands_bytes_are_exact() -> None:
    signature = sign_command(b"{}", COMMAND, RING)

    assert verify_command(signature, b"{ }", COMMAND, PUBLIC) == Unverified("signature")
    assert verify_command("", b"{}", COMMAND, PUBLIC) == Unverified("malformed")
    assert verify_command("a..b", b"{}", COMMAND, PUBLIC) == Unverified("malformed")
    assert verify_command(signature, b"{}", COMMAND, KeyRing.generate().public()) == Unverified("unknown_key")


def test_a_certificates_signature_is_no_commands_signature() -> None:
    header, _, signature = sign(b"{}", TYP, RING).split(".")

    assert verify_command(f"{header}..{signature}", b"{}", COMMAND, PUBLIC) == Unverified("type")
