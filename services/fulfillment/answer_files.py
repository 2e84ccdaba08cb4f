"""Sealed answers on disk: written whole or not at all, unreadable once the request's key is destroyed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid5

from shared.private_files import write_private
from shared.vault.errors import KeyDestroyed, VaultError
from shared.vault.vault import Vault

# Fewer than the keys that a vault holds open at once.
LOOKED_AT_ONCE = 1000
RequestsOf = Callable[[Sequence[UUID]], Awaitable[dict[UUID, UUID]]]


class AnswerFiles:
    """The folder of sealed answers, and below it the parts that single systems gave."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts = folder / "parts"

    async def write_part(self, part_id: UUID, sealed: bytes) -> None:
        """File one system's contribution; a repeat replaces it."""
        await asyncio.to_thread(_write, _file(self._parts, part_id), sealed)

    async def write_package(self, package_id: UUID, sealed: bytes) -> None:
        """File an answer."""
        await asyncio.to_thread(_write, _file(self._folder, package_id), sealed)

    async def read_part(self, part_id: UUID) -> bytes | None:
        """One system's contribution, or None where it is not there."""
        return await asyncio.to_thread(_read, _file(self._parts, part_id))

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


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, content)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _is_destroyed(vault: Vault, request_id: UUID) -> bool:
    try:
        vault.seal(request_id, request_id, "probe", b"")
    except KeyDestroyed:
        return True
    except VaultError:
        return False
    return False
