"""What lies in the answers' folder, sealed under the request's key: written and read a piece at a time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, BinaryIO
from uuid import UUID

from services.fulfillment.answer_files import Writing
from shared.vault.pieces import PIECE, Sealing, opening
from shared.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class SealedAs:
    """What a content is bound to."""

    vault: Vault
    request_id: UUID
    file_id: UUID
    name: str

    def seal(self, field_name: str, plain: bytes) -> str:
        """One piece, sealed; the key must be open."""
        return self.vault.seal(self.request_id, self.file_id, field_name, plain)

    def open(self, field_name: str, sealed: str) -> bytes:
        """One piece, opened; the key must be open."""
        return self.vault.open(self.request_id, self.file_id, field_name, sealed)

    async def ready(self) -> None:
        """Have the key open for the next half minute."""
        await self.vault.prefetch([self.request_id])


@dataclass(slots=True)
class SealedWriter:
    """Seals into a file; `digest` and `size` are of what lies there."""

    about: SealedAs
    writing: Writing
    size: int = 0
    digest: Any = field(default_factory=sha256)
    _waiting: bytearray = field(default_factory=bytearray, repr=False)
    _sealing: Sealing = field(init=False)

    def __post_init__(self) -> None:
        self._sealing = Sealing(self.about.name, self.about.seal)

    async def write(self, plain: bytes) -> None:
        """Seal this, and hand on what is ready; what fills no piece yet only waits."""
        self._waiting += plain
        if len(self._waiting) >= PIECE:
            await self.about.ready()
            await self.writing.aside(lambda: self._take(self._sealing.add(self._waited())))

    async def end(self) -> None:
        """Seal the rest, which is less than a piece; the file is whole and is kept."""
        await self.about.ready()
        self._take(self._sealing.add(self._waited()) + self._sealing.end())
        self.writing.kept = True

    def _waited(self) -> bytes:
        plain = bytes(self._waiting)
        self._waiting.clear()
        return plain

    def _take(self, lines: bytes) -> None:
        self.digest.update(lines)
        self.size += len(lines)
        self.writing.file.write(lines)


def records(file: BinaryIO, about: SealedAs) -> Iterator[Any]:
    """The JSON lines of a sealed file, from its beginning."""
    file.seek(0)
    rest = b""
    for piece in opening(file, about.name, about.open):
        *whole, rest = (rest + piece).split(b"\n")
        yield from map(json.loads, whole)
    if rest:
        yield json.loads(rest)
