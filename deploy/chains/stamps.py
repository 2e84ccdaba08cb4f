"""RFC 3161: somebody else's signed word that a file existed at a time, kept beside it (docs/evidence.md)."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import httpx2

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

SECONDS: Final = 30.0
QUERY: Final = "application/timestamp-query"


class NotStamped(Exception):
    """The time-stamping authority gave no stamp, or its word proves nothing; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Where stamps are asked for."""

    url: str

    def stamp(self, content: bytes) -> bytes:
        """The authority's answer over the content's SHA-512; only a digest leaves this machine.

        Raises:
            NotStamped: it does not answer, or not with a stamp.
        """
        from rfc3161_client import TimestampRequestBuilder, decode_timestamp_response

        request = TimestampRequestBuilder().data(content).build()
        try:
            answer = httpx2.post(
                self.url, content=request.as_bytes(), headers={"Content-Type": QUERY}, timeout=SECONDS
            )
            answer.raise_for_status()
            decode_timestamp_response(answer.content)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise NotStamped(
                f"{self.url} gave no time stamp ({type(error).__name__}); anchor again later"
            ) from None
        return answer.content


def stamped_at(answer: bytes, content: bytes, roots: bytes) -> datetime:
    """When the content existed, by an authority whose certificate leads to one of these roots (PEM).

    Raises:
        NotStamped: the stamp is another content's, or no root vouches for it.
    """
    from cryptography.x509 import load_pem_x509_certificates
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    builder = VerifierBuilder()
    for root in load_pem_x509_certificates(roots):
        builder = builder.add_root_certificate(root)
    try:
        found: TimeStampResponse = decode_timestamp_response(answer)
        builder.build().verify_message(found, content)
    except (VerificationError, ValueError) as error:
        raise NotStamped(f"its time stamp proves nothing ({error})") from None
    return found.tst_info.gen_time
