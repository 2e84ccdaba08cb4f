"""The processor's signature: RSA over the SHA-256 of the raw bytes, by a certificate of the processor's domain."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

SIGNATURE = "x-opendsr-signature"
DOMAIN = "x-opendsr-processor-domain"
_OLDER = {SIGNATURE: "x-opengdpr-signature", DOMAIN: "x-opengdpr-processor-domain"}


def fault_of(raw: bytes, headers: Mapping[str, str], certificate: bytes, now: datetime) -> str | None:
    """Why a message is not believed, or None; its bytes are those that came, never written anew."""
    known = _read(certificate)
    if known is None:
        return "the processor's certificate cannot be read"
    if not known.not_valid_before_utc <= now <= known.not_valid_after_utc:
        return "the processor's certificate is not valid now"
    domain = _header(headers, DOMAIN)
    if not _is_of(known, domain):
        return "the certificate is not that of the domain that the message names"
    return (
        None
        if _is_signed(raw, _header(headers, SIGNATURE), known)
        else "the signature is not the processor's"
    )


def _header(headers: Mapping[str, str], name: str) -> str:
    return headers.get(name) or headers.get(_OLDER[name]) or ""


def _read(certificate: bytes) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(certificate)
    except ValueError:
        return None


def _is_of(certificate: x509.Certificate, domain: str) -> bool:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    return bool(domain) and domain.lower() in {
        name.lower() for name in names.get_values_for_type(x509.DNSName)
    }


def _is_signed(raw: bytes, signature: str, certificate: x509.Certificate) -> bool:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(base64.b64decode(signature, validate=True), raw, padding.PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error):
        return False
    return True
