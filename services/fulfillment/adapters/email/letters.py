"""The letter itself: what a person reads, the same as JSON beside it, and S/MIME around both."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs7

BESIDE = "order.json"
_ASKED = {"delete": "delete", "opt_out": "no longer sell or share", "limit": "limit the use of"}


class NoCertificateError(ValueError):
    """A certificate or key that cannot be used; the text says which."""


@dataclass(frozen=True, slots=True, repr=False)
class Letter:
    """To one company, about one request."""

    order: str
    right: str
    sender: str
    to: str
    subjects: Sequence[Mapping[str, str]]
    times: tuple[datetime, datetime]


def sealed(letter: Letter, secrets: Mapping[str, bytes]) -> bytes:
    """The whole message: signed if there is a key of ours, encrypted if there is a certificate of theirs.

    Raises:
        NoCertificateError: a secret is none of these.
    """
    try:
        inner = _written(letter).as_bytes(policy=SMTP)
        if "signing_key" in secrets:
            inner = _signed(inner, secrets)
        if "certificate" in secrets:
            inner = _encrypted(inner, secrets["certificate"])
    except (ValueError, TypeError) as error:
        raise NoCertificateError(
            f"a certificate or key is not usable for S/MIME ({type(error).__name__})"
        ) from None
    return _addressed(letter) + inner


def words(right: str, subjects: Sequence[Mapping[str, str]], until: str, reference: str) -> str:
    """What a person reads."""
    people = "\n".join(f"  - {kind}: {value}" for each in subjects for kind, value in sorted(each.items()))
    return (
        f"Please {_ASKED[right]} the personal information of the person known to you as\n\n{people}\n\n"
        f"that you hold for us and that was collected until {until}, and tell your own service\n"
        f"providers to do the same (Civ. Code 1798.105(c), 11 CCR 7022(c), 7026(f)). Answer to this message when\n"
        f"it is done, or with the ground on which it is not. Our reference: {reference}.\n"
    )


def order(right: str, subjects: Sequence[Mapping[str, str]], until: str, reference: str) -> bytes:
    """The same for a program, as the file beside it."""
    said = {"order": reference, "right": right, "subjects": list(subjects), "collected_until": until}
    return json.dumps(said, ensure_ascii=False).encode()


def subject(reference: str) -> str:
    """What the letter is called."""
    return f"A privacy request for you to carry out ({reference})"


def message_id(reference: str, sender: str) -> str:
    """The same whenever it is sent."""
    return f"<{reference}@{sender.rpartition('@')[2]}>"


def _written(letter: Letter) -> EmailMessage:
    _, cut_off = letter.times
    message = EmailMessage()
    until = f"{cut_off.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    message.set_content(words(letter.right, letter.subjects, until, letter.order))
    said = order(letter.right, letter.subjects, cut_off.isoformat(), letter.order)
    message.add_attachment(said, "application", "json", filename=BESIDE)
    return message


def _addressed(letter: Letter) -> bytes:
    """What mail servers see: no word of the person."""
    head = EmailMessage(policy=SMTP)
    head["From"], head["To"] = letter.sender, letter.to
    head["Subject"] = subject(letter.order)
    head["Date"] = format_datetime(letter.times[0])
    head["Message-ID"] = message_id(letter.order, letter.sender)
    return b"".join(f"{name}: {value}\r\n".encode() for name, value in head.items())


def _signed(inner: bytes, secrets: Mapping[str, bytes]) -> bytes:
    key = load_pem_private_key(secrets["signing_key"], None)
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise TypeError("S/MIME signs with RSA or elliptic curves")
    certificate = x509.load_pem_x509_certificate(secrets["signing_certificate"])
    builder = pkcs7.PKCS7SignatureBuilder().set_data(inner).add_signer(certificate, key, SHA256())
    return builder.sign(Encoding.SMIME, [pkcs7.PKCS7Options.DetachedSignature])


def _encrypted(inner: bytes, certificate: bytes) -> bytes:
    recipient = x509.load_pem_x509_certificate(certificate)
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(inner).add_recipient(recipient)
    return builder.encrypt(Encoding.SMIME, [pkcs7.PKCS7Options.Binary])
