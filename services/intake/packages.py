"""Answer packages: fulfillment writes them sealed, the holder of the request's secret gets them opened."""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from services.intake.ports import Unsealer
from shared.events.fulfillment import PackageReference
from shared.privacy import same_secret
from shared.vault.errors import KeyDestroyed, KeyUnknown, VaultError


class PackageGoneError(Exception):
    """The request's key was destroyed, and the package with it."""


class PackageAwayError(Exception):
    """The package's file is missing or not what was sealed: a person has to look."""


@dataclass(frozen=True, slots=True)
class Packages:
    """The folder of sealed packages."""

    folder: Path
    vault: Unsealer

    async def open(self, request_id: UUID, reference: PackageReference) -> bytes:
        """The package's content; its file must be the one that the reference names, byte by byte."""
        sealed = await asyncio.to_thread(self._read, reference)
        await self.vault.prefetch([request_id])
        try:
            return self.vault.open(request_id, reference.package_id, "package", sealed)
        except (KeyDestroyed, KeyUnknown):
            raise PackageGoneError from None
        except VaultError:
            raise PackageAwayError from None

    def _read(self, reference: PackageReference) -> str:
        try:
            sealed = (self.folder / f"{reference.package_id}.sealed").read_bytes()
        except OSError:
            raise PackageAwayError from None
        if not same_secret(hashlib.sha256(sealed).hexdigest(), reference.sha256):
            raise PackageAwayError
        return sealed.decode("ascii", "replace")


def form_of(content: bytes) -> tuple[str, str]:
    """The media type and the name's ending of a package: an archive, or one JSON document."""
    return ("application/zip", "zip") if content.startswith(b"PK\x03\x04") else ("application/json", "json")
