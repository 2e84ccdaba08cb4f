"""What lies in the answers' folder, sealed under the request's key: written and read a piece at a time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, BinaryIO
from uuid import UUID

from services.fulfillment.answer_files import Writing
from shared.vault.pieces import Sealing, opening
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
    _sealing: Sealing | None = None

    async def write(self, plain: bytes) -> None:
        """Seal this, and hand on what is ready."""
        await self.about.ready()
        await self.writing.aside(lambda: self._take(plain, last=False))

    async def end(self) -> None:
        """Seal the rest; the file is whole and is kept."""
        await self.about.ready()
        await self.writing.aside(lambda: self._take(b"", last=True))
        self.writing.kept = True

    def _take(self, plain: bytes, *, last: bool) -> None:
        if self._sealing is None:
            self._sealing = Sealing(self.about.name, self.about.seal)
        lines = self._sealing.add(plain)
        if last:
            lines += self._sealing.end()
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
