"""A bundle proves a request to a stranger who has the public key alone, and whatever was changed in it is named."""

import hashlib
import io
import json
import zipfile
from base64 import b64decode, b64encode, urlsafe_b64decode
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deploy.bundles.checking import NoBundle, check_bundle
from deploy.bundles.files import Proofs, bundle
from shared.audit import GENESIS, AuditEntry, AuditRow, append
from shared.canonical import sha256_hex
from shared.events import envelope
from shared.events.deadline import RequestClosed
from shared.events.envelope import Envelope, Raw, Record
from shared.events.message import Event
from shared.evidence import EventEvidence, build_payload, evidence_digest, sign_certificate
from shared.signing import KeyRing
from shared.signing.keys import jwks_document
from tests.support import facts
from tests.support.certificates import RECEIVED, a_certificate

RING = KeyRing.generate()
ONE = UUID("0198c0de-0000-7000-8000-0000000000aa")


def chain(count: int) -> list[AuditRow]:
    rows: list[AuditRow] = []
    for number in range(1, count + 1):
        entry = AuditEntry(ONE, RECEIVED + timedelta(hours=number), "event.applied", {"number": number})
        rows.append(append(rows[-1].head if rows else GENESIS, entry))
    return rows


CHAINS = {"intake": chain(2), "deadline": chain(3)}


def record(body: Event, head: str) -> Record:
    """An event as it lies on its topic."""
    told = body.model_copy(update={"audit_head": head})
    declared, writer = body.declared, body.declared.topic.writers[0]
    envelope_ = Envelope(
        id=uuid5(ONE, declared.ce_type),
        source=f"habeas/{writer}",
        ce_type=declared.ce_type,
        subject=ONE,
        time=RECEIVED,
        sequence=1,
        business="cascadia",
        correlation_id=str(ONE),
        traceparent="",
        signature=None,
    )
    headers = tuple((name, value.encode()) for name, value in envelope.write(envelope_).items())
    found = envelope.read(
        Raw(declared.topic.name, 0, 0, str(ONE).encode(), headers, told.model_dump_json().encode())
    )
    assert isinstance(found, Record)
    return found


def made() -> bytes:
    received = record(facts.received(), CHAINS["intake"][0].hash)
    named = EventEvidence(
        id=received.envelope.id, type=received.envelope.ce_type, sha256=sha256_hex(received.raw.value)
    )
    heads = {service: rows[1].hash for service, rows in CHAINS.items()}
    payload = build_payload(a_certificate(events=(named,), chain_heads=heads))
    closing = RequestClosed(
        right="delete",
        resolution="partial",
        closed_at=RECEIVED,
        answered_at=RECEIVED,
        in_time=True,
        evidence_digest=evidence_digest(payload),
        audit_head="",
    )
    proofs = Proofs(
        request_id=ONE,
        certificate=sign_certificate(payload, RING),
        addenda=(),
        events=(received, record(closing, CHAINS["deadline"][2].hash)),
        chains=CHAINS,
        keys=json.dumps(jwks_document(RING)).encode(),
    )
    return bundle(proofs, RING, RECEIVED)


WHOLE = made()


def unzipped(content: bytes = WHOLE) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_files(files: dict[str, bytes]) -> bytes:
    to = io.BytesIO()
    with zipfile.ZipFile(to, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return to.getvalue()


def test_a_bundle_is_proved_by_the_public_key_alone() -> None:
    found = check_bundle(WHOLE, RING.public())

    assert (found.faults, found.events, found.rows) == ((), 2, 5)
    assert found.certificate is not None
    assert found.certificate.request_id == ONE


def test_another_hand_finds_the_same_with_its_own_means() -> None:
    """As its README says: RFC 7515, SHA-256 and JSON, and nothing of ours."""
    files = unzipped()
    [jwk] = json.loads(files["evidence.jwks.json"])["keys"]
    key = Ed25519PublicKey.from_public_bytes(unpadded(jwk["x"]))
    payloads: dict[str, Any] = {}
    for name in ("certificate.jws", "manifest.jws"):
        signed, _, signature = files[name].decode().strip().rpartition(".")
        key.verify(unpadded(signature), signed.encode())
        payloads[name] = json.loads(unpadded(signed.partition(".")[2]))

    assert payloads["manifest.jws"]["files"] == {
        name: hashlib.sha256(content).hexdigest()
        for name, content in files.items()
        if not name.startswith("manifest.")
    }
    events = {
        one["id"]: b64decode(one["value"]) for one in map(json.loads, files["events.jsonl"].splitlines())
    }
    for named in payloads["certificate.jws"]["events"]:
        assert hashlib.sha256(events[named["id"]]).hexdigest() == named["sha256"]
    before = ""
    for row in map(json.loads, files["chains/deadline.jsonl"].splitlines()):
        digest = row.pop("hash")
        bytes_ = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        assert (row["prev"], hashlib.sha256(bytes_).hexdigest()) == (before, digest)
        before = digest


def unpadded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize("name", sorted(unzipped()))
def test_a_file_that_is_changed_is_named(name: str) -> None:
    files = unzipped()
    if name.startswith("manifest"):
        files[name] = files["certificate.jws"]
    else:
        files[name] = files[name].replace(b"2", b"3").replace(b"e", b"a", 1)

    try:
        faults = " ".join(check_bundle(with_files(files), RING.public()).faults)
    except NoBundle:
        faults = name
    assert name in faults


@pytest.mark.parametrize("name", sorted(unzipped()))
def test_a_file_that_is_missing_is_named(name: str) -> None:
    files = unzipped()
    del files[name]

    assert name in " ".join(check_bundle(with_files(files), RING.public()).faults)


def test_who_signs_a_new_list_over_changed_files_is_found_by_what_they_say_of_each_other() -> None:
    """Somebody with the evidence key and another history: certificate, events and chains still disagree."""
    other = chain(3)
    forged = [append(GENESIS, AuditEntry(ONE, RECEIVED, "forged", {}))]
    files = unzipped()
    proofs_lines = [json.loads(line) for line in files["events.jsonl"].splitlines()]
    proofs_lines[0]["value"] = b64encode(b'{"audit_head": "' + other[0].hash.encode() + b'"}').decode()
    files["events.jsonl"] = "".join(json.dumps(one) + "\n" for one in proofs_lines).encode()
    files["chains/intake.jsonl"] = files["chains/intake.jsonl"].replace(
        CHAINS["intake"][0].hash.encode(), forged[0].hash.encode()
    )

    faults = " ".join(check_bundle(with_files(files), RING.public()).faults)

    assert "was changed" in faults
    assert f"event {proofs_lines[0]['id']} was changed" in faults
    assert "the chain of intake, row 1: the row was changed after it was written" in faults


def test_another_key_proves_nothing_and_is_named() -> None:
    found = check_bundle(WHOLE, KeyRing.generate().public())

    assert found.certificate is None
    assert all(RING.primary.kid in fault for fault in found.faults)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"certificate"])
def test_what_is_no_bundle_is_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(NoBundle, match="it is no ZIP archive"):
        check_bundle(content, RING.public())
