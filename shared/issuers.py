"""Whose account assertions are believed: one key set per business, read again when its file changes."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import structlog

from shared.signing import TrustedIssuer

log = structlog.get_logger("issuers")
_BUSINESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class _Read:
    changed: tuple[int, int]
    issuers: tuple[TrustedIssuer, ...]


class IssuerFolder:
    """`<business>.jwks.json` files: a JWKS document with the provider's name beside its keys, as `issuer`.

    A business without a file has no accounts to go by: its requesters are sent codes. A file that is damaged
    while we run is reported, and the keys read before stay in use.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, _Read] = {}

    def of(self, business: str) -> tuple[TrustedIssuer, ...]:
        """The identity providers of one business; never another one's."""
        # The name comes from a message: it must not lead out of the folder.
        if not _BUSINESS.fullmatch(business):
            return ()
        path = f"{self._folder}/{business}.jwks.json"
        known = self._read.get(business)
        try:
            found = os.stat(path)  # noqa: PTH116 - asked for each assertion, and a Path costs more than the question
            changed = (found.st_mtime_ns, found.st_size)
            if known is None or known.changed != changed:
                known = self._read[business] = _Read(changed, (read_issuer(Path(path).read_bytes()),))
        except FileNotFoundError:
            self._read.pop(business, None)
            return ()
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error("issuer.unreadable", business=business, error_type=type(error).__name__)  # noqa: TRY400 - a trace would repeat the file
        return known.issuers if known else ()


def read_issuer(document: bytes) -> TrustedIssuer:
    """One provider from its file; anything else is a ValueError, KeyError or TypeError."""
    issuer = json.loads(document)["issuer"]
    if not isinstance(issuer, str) or not issuer:
        raise TypeError("issuer must be the provider's name")
    return TrustedIssuer.from_document(issuer, document)
