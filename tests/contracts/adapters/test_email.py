"""What only a letter has: an envelope that others read, certificates, and an answer that a person hears."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from cryptography.x509.oid import NameOID

from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import Secret, System
from services.fulfillment.ports import Done, Frozen, NeedsPerson, Outcome, Subject
from shared.private_files import write_private
from tests.support.told import Letterbox

CUT_OFF = datetime(2026, 3, 1, tzinfo=UTC)
EMAIL = "ada.canary@example.com"


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Letterbox]:
    opened = await Letterbox().open(tmp_path)
    yield opened
    await opened.close()


async def act(box: Letterbox, system: System | None = None, cut_off: datetime = CUT_OFF) -> Outcome:
    adapter = box.adapter(system)
    frozen = await adapter.find(Subject({"email": EMAIL}), cut_off=cut_off)
    assert isinstance(frozen, Frozen)
    return await adapter.act("delete", frozen, cut_off=cut_off, idempotency_key="key")


def pair() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "company.example")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=9999))
    return key, builder.sign(key, SHA256())


def secrets(home: Path, **texts: bytes) -> dict[str, Secret]:
    for name, text in texts.items():
        write_private(home / name, text)
    return {name: Secret(file=home / name) for name in texts}


async def test_what_mail_servers_read_names_nobody_and_what_the_company_reads_says_all(
    box: Letterbox,
) -> None:
    assert isinstance(await act(box), Done)

    ((name, letter),) = box.letters.items()
    head = str(letter.items())
    assert name.endswith("@shop.example>")
    assert "canary" not in head.lower()
    body = letter.get_body()
    assert body is not None
    text = str(body.get_content())
    assert EMAIL in text
    assert "1798.105(c)" in text
    assert box.orders()[0]["collected_until"] == CUT_OFF.isoformat()


async def test_the_company_reads_until_when_in_utc_and_to_the_second(box: Letterbox) -> None:
    in_california = datetime(2026, 2, 28, 17, 30, 59, tzinfo=timezone(-timedelta(hours=8)))

    assert isinstance(await act(box, cut_off=in_california), Done)

    (letter,) = box.letters.values()
    body = letter.get_body()
    assert body is not None
    assert "2026-03-01 01:30:59 UTC" in str(body.get_content())


async def test_a_letter_is_no_proof_and_a_person_ends_its_task(box: Letterbox) -> None:
    plain = box.system()
    settings = {**plain.settings, "acknowledged_by": "person"}

    first = await act(box, box.system(settings=settings))
    again = await act(box, box.system(settings=settings))

    assert isinstance(first, NeedsPerson)
    assert first.kind == "manual"
    assert first == again
    assert len(box.letters) == 1  # both have one Message-ID
    assert len(box.raw) == 2
    assert "canary" not in first.reason


async def test_a_company_with_a_certificate_alone_can_read_its_letter_and_see_who_signed_it(
    box: Letterbox, tmp_path: Path
) -> None:
    theirs, certificate = pair()
    ours, own = pair()
    private = ours.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    named = secrets(
        tmp_path, certificate=certificate.public_bytes(Encoding.PEM),
        signing_certificate=own.public_bytes(Encoding.PEM), signing_key=private,
    )  # fmt: skip

    assert isinstance(await act(box, box.system(secrets=named)), Done)

    (raw,) = box.raw
    assert EMAIL.encode() not in raw
    body = raw[raw.index(b"MIME-Version") :]
    opened = pkcs7.pkcs7_decrypt_smime(body, certificate, theirs, [])
    inner: Any = message_from_bytes(opened)
    assert EMAIL in opened.decode()
    assert inner.get_content_type() == "multipart/signed"


async def test_a_server_that_refuses_the_recipient_is_for_a_person(box: Letterbox) -> None:
    box.fail(410)

    outcome = await act(box)

    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "refused"
    assert "canary" not in outcome.reason


async def test_a_letter_in_clear_to_another_machine_is_not_sent(box: Letterbox, tmp_path: Path) -> None:
    system = box.system()
    (tmp_path / "told.url").write_text("smtp://mail.example")

    outcome = await act(box, system)

    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "credentials"


async def test_a_certificate_that_is_none_is_seen_at_the_check(box: Letterbox, tmp_path: Path) -> None:
    system = box.system(secrets=secrets(tmp_path, certificate=b"not a certificate"))

    assert not (await box.adapter(system).check()).ok


async def test_addresses_and_pairs_that_are_missing_are_named(box: Letterbox) -> None:
    system = box.system(
        settings={"acknowledged_by": "nobody"}, secrets={"signing_key": Secret(env="X")}, url=None
    )

    with pytest.raises(MapError) as refused:
        box.adapter(system)

    for word in ("settings.to", "settings.from", "settings.acknowledged_by", "go together", "url: is needed"):
        assert word in str(refused.value)
