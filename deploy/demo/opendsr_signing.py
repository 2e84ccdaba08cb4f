"""How the sample's OpenDSR processor signs what it says, and the certificate by which that is believed."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

_FROM, _TO = datetime(2020, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)


class Signing:
    """An RSA key of one domain, made anew, and its certificate."""

    def __init__(self, domain: str) -> None:
        self._domain = domain
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def headers(self, raw: bytes) -> Mapping[str, str]:
        """What goes with these bytes: whose they are, and the signature over them."""
        signature = base64.b64encode(self._key.sign(raw, padding.PKCS1v15(), SHA256())).decode()
        return {"X-OpenDSR-Processor-Domain": self._domain, "X-OpenDSR-Signature": signature}

    def certificate(self) -> bytes:
        """In PEM; signed by itself, which is enough where it is handed over with the contract."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._domain)])
        made = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self._key.public_key())
        )
        made = made.serial_number(x509.random_serial_number()).not_valid_before(_FROM).not_valid_after(_TO)
        names = x509.SubjectAlternativeName([x509.DNSName(self._domain)])
        return made.add_extension(names, critical=False).sign(self._key, SHA256()).public_bytes(Encoding.PEM)
