"""What OpenDSR's own words mean to the side that asks: signatures on raw bytes, both spellings, 400 on a duplicate."""

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from services.fulfillment.adapters.opendsr.signatures import fault_of
from services.fulfillment.ports import Ambiguous, Frozen, Gone, Proof, Subject, Unknown
from tests.support.told import DOMAIN, Processor, certificate

CUT_OFF = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 2, tzinfo=UTC)
EMAIL = "Ada.Canary@example.com"


@pytest.fixture
async def processor(tmp_path: Path) -> AsyncIterator[Processor]:
    opened = await Processor().open(tmp_path)
    yield opened
    await opened.close()


async def ordered(processor: Processor, **settings: str) -> tuple[Frozen, object]:
    adapter = processor.adapter(processor.system(settings=settings))
    frozen = await adapter.find(Subject({"email": EMAIL}), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    return frozen, await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key="key")


async def proof(processor: Processor, frozen: Frozen, state: str) -> Proof:
    processor.state = state
    return await processor.adapter().prove("delete", frozen, cut_off=CUT_OFF)


async def test_an_order_is_what_the_specification_says(processor: Processor) -> None:
    await ordered(processor)

    (order,) = processor.orders()
    assert order["regulation"] == "ccpa"
    assert order["subject_request_type"] == "erasure"
    assert order["subject_request_id"] == order["subject_request_id"].lower()
    assert order["subject_request_id"][14] == "4"
    assert order["subject_identities"] == [
        {"identity_type": "email", "identity_value": EMAIL, "identity_format": "raw"}
    ]


async def test_a_hashed_address_is_hashed_in_small_letters(processor: Processor) -> None:
    await ordered(processor, format="sha256")

    (order,) = processor.orders()
    (identity,) = order["subject_identities"]
    assert identity["identity_value"] == hashlib.sha256(EMAIL.lower().encode()).hexdigest()


async def test_both_spellings_of_a_state_mean_the_same(processor: Processor) -> None:
    frozen, _ = await ordered(processor)

    under_way = [await proof(processor, frozen, state) for state in ("pending", "in_progress", "in-progress")]
    given_up = [await proof(processor, frozen, state) for state in ("cancelled", "canceled", "done-ish")]

    assert all(isinstance(each, Unknown) and each.look_again for each in under_way)
    assert all(isinstance(each, Unknown) and each.look_again is None for each in given_up)
    assert isinstance(await proof(processor, frozen, "completed"), Gone)


async def test_an_order_that_the_processor_has_is_not_an_error(processor: Processor) -> None:
    await ordered(processor)
    _, again = await ordered(processor)

    assert isinstance(again, Ambiguous)
    assert again.look_again is not None
    assert len(processor.orders()) == 1


async def test_an_answer_that_is_not_signed_by_the_processor_is_doubt_and_no_second_order(
    processor: Processor,
) -> None:
    processor.signs = False

    frozen, outcome = await ordered(processor)

    assert isinstance(outcome, Ambiguous)
    assert outcome.look_again is None
    assert "signature" in outcome.reason
    assert isinstance(await proof(processor, frozen, "completed"), Gone)


def test_a_signature_holds_for_the_raw_bytes_alone(processor: Processor) -> None:
    raw = b'{"request_status":  "completed"}'
    headers = {"x-opendsr-signature": processor.signature(raw), "x-opendsr-processor-domain": DOMAIN}
    older = {name.replace("opendsr", "opengdpr"): value for name, value in headers.items()}
    known = processor.certificate.encode()

    assert fault_of(raw, headers, known, NOW) is None
    assert fault_of(raw, older, known, NOW) is None
    assert fault_of(raw.replace(b"  ", b" "), headers, known, NOW) is not None
    assert fault_of(raw, {**headers, "x-opendsr-processor-domain": "another.example"}, known, NOW) is not None
    assert fault_of(raw, headers, known, datetime(2051, 1, 1, tzinfo=UTC)) is not None
    assert fault_of(raw, headers, b"no certificate", NOW) is not None
    assert fault_of(raw, {}, known, NOW) is not None


def test_another_key_of_the_same_domain_is_not_the_processor_s(processor: Processor) -> None:
    other = certificate(rsa.generate_private_key(public_exponent=65537, key_size=2048), DOMAIN)
    headers = {"x-opendsr-signature": processor.signature(b"{}"), "x-opendsr-processor-domain": DOMAIN}

    assert fault_of(b"{}", headers, other.encode(), NOW) is not None
