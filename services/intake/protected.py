"""An archive with a password: the whole answer as one file inside, so that not even its files' names can be read."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

import pyzipper

from services.intake.packages import Content

INSIDE: Final = "habeas-answer.zip"


async def protected(content: Content, password: str) -> AsyncIterator[bytes]:
    """The content as an archive under AES-256 (WinZip's AE-2), piece by piece."""
    zipping = _Protecting(password)
    async for piece in content.pieces():
        yield await asyncio.to_thread(zipping.add, piece)
    yield await asyncio.to_thread(zipping.end)


@dataclass(slots=True)
class _Out:
    ready: bytearray = field(default_factory=bytearray)

    def write(self, content: bytes) -> int:
        self.ready += content
        return len(content)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def take(self) -> bytes:
        content = bytes(self.ready)
        self.ready.clear()
        return content


class _Protecting:
    """Writes one encrypted file into an archive that nobody can go back in."""

    def __init__(self, password: str) -> None:
        self._out = _Out()
        self._zip = pyzipper.AESZipFile(self._out, "w", encryption=pyzipper.WZ_AES)
        self._zip.setpassword(password.encode())
        self._file = self._zip.open(INSIDE, "w", force_zip64=True)

    def add(self, piece: bytes) -> bytes:
        self._file.write(piece)
        return self._out.take()

    def end(self) -> bytes:
        self._file.close()
        self._zip.close()
        return self._out.take()
