"""Sealed answers on disk: written whole or not at all, unreadable once the request's key is destroyed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar
from uuid import UUID, uuid5

from shared.private_files import Draft
from shared.vault.errors import KeyDestroyed, VaultError
from shared.vault.pieces import PIECE
from shared.vault.vault import Vault

# Fewer than the keys that a vault holds open at once.
LOOKED_AT_ONCE = 1000
T = TypeVar("T")
RequestsOf = Callable[[Sequence[UUID]], Awaitable[dict[UUID, UUID]]]


@dataclass(slots=True)
class Writing:
    """A file on its way; it is filed only if it is `kept` in the end. What takes long is done `aside`."""

    file: "Takes"
    aside: "Aside"
    kept: bool = False


class Takes(Protocol):
    """What a file on its way is asked."""

    def write(self, content: bytes, /) -> int:
        """Some more of it."""
        ...


class Aside(Protocol):
    """Where work that would hold up everything else is done."""

    async def __call__(self, work: Callable[[], T], /) -> T:
        """Do it, and answer what it answers."""
        ...


class AnswerFiles:
    """The folder of sealed answers, and below it the parts that single systems gave."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts = folder / "parts"

    @staticmethod
    async def aside(work: Callable[[], T], /) -> T:
        """In a thread: reading and sealing much is no reason to let others wait."""
        return await asyncio.to_thread(work)

    def part(self, part_id: UUID) -> AbstractAsyncContextManager[Writing]:
        """Write one system's contribution; a repeat replaces it."""
        return _writing(_file(self._parts, part_id))

    def package(self, package_id: UUID) -> AbstractAsyncContextManager[Writing]:
        """Write an answer."""
        return _writing(_file(self._folder, package_id))

    def read_part(self, part_id: UUID) -> BinaryIO | None:
        """One system's contribution, or None where it is not there; the caller closes it."""
        try:
            return _file(self._parts, part_id).open("rb")
        except FileNotFoundError:
            return None

    async def remove_forgotten(self, requests_of: RequestsOf, vault: Vault) -> int:
        """Remove the files whose request's key was destroyed; they are unreadable already. The number removed."""
        files = await asyncio.to_thread(self._files)
        names, removed = list(files), 0
        for start in range(0, len(names), LOOKED_AT_ONCE):
            requests = await requests_of(names[start : start + LOOKED_AT_ONCE])
            await vault.prefetch(sorted(set(requests.values())))
            gone = [files[each] for each, request_id in requests.items() if _is_destroyed(vault, request_id)]
            for path in gone:
                await asyncio.to_thread(path.unlink, missing_ok=True)
            removed += len(gone)
        return removed

    def _files(self) -> dict[UUID, Path]:
        found: dict[UUID, Path] = {}
        for path in (*self._folder.glob("*.sealed"), *self._parts.glob("*.sealed")):
            with suppress(ValueError):
                found[UUID(path.stem)] = path
        return found


def package_id_of(task_id: UUID, epoch: int) -> UUID:
    """A name of its own for each attempt: one that lost its lease must not change the file that was announced."""
    return uuid5(task_id, f"package:{epoch}")


def _file(folder: Path, file_id: UUID) -> Path:
    return folder / f"{file_id}.sealed"


@asynccontextmanager
async def _writing(path: Path) -> AsyncIterator[Writing]:
    draft = _Draft(path)
    try:
        writing = Writing(draft, AnswerFiles.aside)
        yield writing
        if writing.kept:
            await AnswerFiles.aside(draft.place)
    finally:
        if draft.is_begun:
            await AnswerFiles.aside(draft.discard)


class _Draft:
    """Begun on the disk by what does not fit a piece: a small answer is written and filed in one go."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting = bytearray()
        self._draft: Draft | None = None

    @property
    def is_begun(self) -> bool:
        """Something of it is on the disk, and not in its place."""
        return self._draft is not None

    def write(self, content: bytes, /) -> int:
        self._waiting += content
        if len(self._waiting) > PIECE:
            self._written()
        return len(content)

    def place(self) -> None:
        self._written().place()
        self._draft = None

    def discard(self) -> None:
        if self._draft is not None:
            self._draft.discard()

    def _written(self) -> Draft:
        if self._draft is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._draft = Draft(self._path)
        self._draft.file.write(self._waiting)
        self._waiting.clear()
        return self._draft


def _is_destroyed(vault: Vault, request_id: UUID) -> bool:
    try:
        vault.seal(request_id, request_id, "probe", b"")
    except KeyDestroyed:
        return True
    except VaultError:
        return False
    return False
