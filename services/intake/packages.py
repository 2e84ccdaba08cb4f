"""Answer packages: fulfillment writes them sealed, who may have one gets it opened, a piece at a time."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from services.intake.ports import Unsealer
from shared.events.fulfillment import PackageReference
from shared.privacy import same_secret
from shared.vault.errors import KeyDestroyed, KeyUnknown, VaultError
from shared.vault.pieces import opening


class PackageGoneError(Exception):
    """The request's key was destroyed, and the package with it."""


class PackageAwayError(Exception):
    """The package's file is missing or not what was sealed: a person has to look."""


@dataclass(frozen=True, slots=True)
class Content:
    """A package whose beginning was opened; the rest is opened as it is read."""

    first: bytes
    rest: Iterator[bytes]
    file: BinaryIO
    ready: Callable[[], Awaitable[None]]

    async def pieces(self) -> AsyncIterator[bytes]:
        """All of it, once."""
        try:
            yield self.first
            while (piece := await self._next()) is not None:
                yield piece
        finally:
            await asyncio.to_thread(self.file.close)

    async def whole(self) -> bytes:
        """All of it at once."""
        return b"".join([piece async for piece in self.pieces()])

    async def _next(self) -> bytes | None:
        await self.ready()
        return await asyncio.to_thread(next, self.rest, None)


@dataclass(frozen=True, slots=True)
class Packages:
    """The folder of sealed packages."""

    folder: Path
    vault: Unsealer

    async def open(self, request_id: UUID, reference: PackageReference) -> Content:
        """The package's content; its file must be the one that the reference names, byte by byte."""
        file = await asyncio.to_thread(self._checked, reference)
        try:
            await self.vault.prefetch([request_id])
            pieces = opening(file, "package", partial(self.vault.open, request_id, reference.package_id))
            first = await asyncio.to_thread(next, pieces)
        except (KeyDestroyed, KeyUnknown):
            file.close()
            raise PackageGoneError from None
        except VaultError:
            file.close()
            raise PackageAwayError from None
        return Content(first, pieces, file, partial(self.vault.prefetch, [request_id]))

    def _checked(self, reference: PackageReference) -> BinaryIO:
        try:
            file = (self.folder / f"{reference.package_id}.sealed").open("rb")
        except OSError:
            raise PackageAwayError from None
        if not same_secret(hashlib.file_digest(file, "sha256").hexdigest(), reference.sha256):
            file.close()
            raise PackageAwayError
        file.seek(0)
        return file


def form_of(content: bytes) -> tuple[str, str]:
    """The media type and the name's ending of a package: an archive, or one JSON document."""
    return ("application/zip", "zip") if content.startswith(b"PK\x03\x04") else ("application/json", "json")
