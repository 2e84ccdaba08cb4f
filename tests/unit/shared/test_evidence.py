import random
from datetime import timedelta, timezone
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.canonical import canonical_json
from shared.evidence import (
    CERTIFICATE_TYPE,
    Certificate,
    CertificateRefused,
    EventFindings,
    build_payload,
    check_events,
    evidence_digest,
    sign_certificate,
    verify_certificate,
)
from shared.signing import KeyRing, sign
from tests.support.certificates import EVENTS, RECEIVED, a_certificate

RING = KeyRing.generate()
PAYLOAD = build_payload(a_certificate())


def test_a_signed_certificate_is_verified_with_the_public_key_alone() -> None:
    found = verify_certificate(sign_certificate(PAYLOAD, RING), RING.public())

    assert isinstance(found, Certificate)
    assert build_payload(found) == PAYLOAD


@given(st.randoms())
def test_the_same_facts_in_any_order_make_the_same_bytes(shuffle: random.Random) -> None:
    one = a_certificate()
    mixed = {
        name: tuple(shuffle.sample(values, len(values)))
        for name, values in (("systems", one.systems), ("notices", one.notices), ("events", one.events))
    }
    heads = dict(shuffle.sample(list(one.chain_heads.items()), len(one.chain_heads)))

    assert build_payload(a_certificate(**mixed, chain_heads=heads)) == PAYLOAD


def test_the_zone_in_which_a_time_was_said_does_not_matter() -> None:
    there = RECEIVED.astimezone(timezone(timedelta(hours=-8)))

    assert build_payload(a_certificate(received_at=there)) == PAYLOAD


def test_the_digest_of_known_facts_never_changes() -> None:
    assert evidence_digest(PAYLOAD) == "7bd37a8505c56dffbebe52751e879597e69691dd2d02cef6fb50bee2232e5457"


@pytest.mark.parametrize(
    "change",
    [
        {"in_time": False},
        {"resolution": "complete"},
        {"closed_at": RECEIVED},
        {"systems": ()},
        {"notices": ()},
    ],
)
def test_another_fact_makes_another_digest(change: dict[str, object]) -> None:
    assert evidence_digest(build_payload(a_certificate(**change))) != evidence_digest(PAYLOAD)


def test_a_certificate_of_another_signer_or_changed_proves_nothing() -> None:
    token = sign_certificate(PAYLOAD, RING)
    header, _, signature = token.split(".")
    other = sign_certificate(build_payload(a_certificate(in_time=False)), RING).split(".")[1]

    assert verify_certificate(token, KeyRing.generate().public()) == CertificateRefused("unknown_key")
    assert verify_certificate(f"{header}.{other}.{signature}", RING.public()) == CertificateRefused(
        "signature"
    )
    assert verify_certificate("nothing", RING.public()) == CertificateRefused("malformed")
    assert verify_certificate(sign(PAYLOAD, "x", RING), RING.public()) == CertificateRefused("type")


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", canonical_json({"format": "habeas-certificate/2"})])
def test_a_signed_payload_of_another_format_is_said_to_be_one(payload: bytes) -> None:
    token = sign(payload, CERTIFICATE_TYPE, RING)

    assert verify_certificate(token, RING.public()) == CertificateRefused("format")


def test_events_agree_byte_for_byte_and_more_of_them_do_no_harm() -> None:
    assert check_events(a_certificate(), {**EVENTS, uuid4(): b"later"}).agree


def test_a_missing_and_a_changed_event_are_named() -> None:
    first, second, third = EVENTS

    found = check_events(a_certificate(), {first: EVENTS[first], second: EVENTS[second] + b" "})

    assert found == EventFindings(missing=(third,), changed=(second,))
    assert not found.agree


def test_a_certificate_repeats_no_input_in_its_errors() -> None:
    with pytest.raises(ValidationError) as refused:
        a_certificate(closed_at="ann@example.com")

    assert "ann" not in str(refused.value)
