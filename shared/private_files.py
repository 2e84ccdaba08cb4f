"""Key files: written so that nobody else can read them, refused where somebody else could have.

The rule is PostgreSQL's: a file of ours may be read by us alone; a file of root's, mounted by a platform,
also by our group.
"""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class KeyFileRefused(Exception):
    """A key file is missing, unreadable or open to others; the sentence says what to do."""


def read_private(path: Path, *, made_by: str = "habeas keys init") -> bytes:
    """The file's bytes, if nobody else can read or write it."""
    return _read(path, _refuse_open_to_others, made_by)


def read_trusted(path: Path, *, made_by: str = "habeas keys init") -> bytes:
    """The bytes of a public file, if nobody else can write it."""
    return _read(path, _refuse_writable_by_others, made_by)


def _read(path: Path, check: Callable[[Path, os.stat_result], None], made_by: str) -> bytes:
    try:
        with path.open("rb") as file:
            check(path, os.fstat(file.fileno()))
            return file.read()
    except FileNotFoundError:
        raise KeyFileRefused(f"{path} is missing; make it with: {made_by}") from None
    except PermissionError:
        raise KeyFileRefused(f"{path} cannot be read by this account; give it to the account") from None


Identity = tuple[int, ...]


def identity(path: str | Path) -> Identity | None:
    """What tells one state of a file from the next, its owner and mode included; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - asked for each use of a key, and a Path costs more than the question
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_mode, found.st_uid


def write_private(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put the file in place whole, or not at all; an older one is replaced."""
    with _written(path, content, mode) as draft:
        draft.replace(path)


def create_private(path: Path, content: bytes) -> bool:
    """The same, but a file that is there already stays; whether ours is the one."""
    with _written(path, content, 0o600) as draft:
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return False
        return True


class Draft:
    """A private file that is written piece by piece; it is in its place whole, or not at all."""

    def __init__(self, path: Path, mode: int = 0o600) -> None:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        self.file: BinaryIO = os.fdopen(handle, "wb")
        self.draft = Path(name)
        self._path = path
        self._mode = mode

    def finish(self) -> None:
        """All is written: it is on the disk."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self.draft.chmod(self._mode)

    def place(self) -> None:
        """Put it in its place; an older file is replaced."""
        self.finish()
        self.draft.replace(self._path)

    def discard(self) -> None:
        """Remove what was not put in place."""
        self.file.close()
        self.draft.unlink(missing_ok=True)


@contextmanager
def _written(path: Path, content: bytes, mode: int) -> Iterator[Path]:
    draft = Draft(path, mode)
    try:
        draft.file.write(content)
        draft.finish()
        yield draft.draft
    finally:
        draft.discard()


def _refuse_open_to_others(path: Path, found: os.stat_result) -> None:
    mode = stat.S_IMODE(found.st_mode)
    mounted_by_root = found.st_uid == 0 and os.geteuid() != 0
    forbidden = 0o037 if mounted_by_root else 0o077
    if mode & forbidden:
        raise KeyFileRefused(f"{path} is open to others (mode {mode:04o}); close it with: chmod 600 {path}")


def _refuse_writable_by_others(path: Path, found: os.stat_result) -> None:
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o022:
        raise KeyFileRefused(
            f"{path} can be changed by others (mode {mode:04o}); close it with: chmod 644 {path}"
        )
