"""A folder: files are replaced whole by renaming, under a lock that all of us respect."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from services.fulfillment.adapters.objects.failures import Failure
from services.fulfillment.adapters.objects.store import Stored, refuse_stopped

STAGED = ".habeas-staged-"
LOCK = ".habeas-lock"
_LINKED = "a file is a link or has a second name: replacing it would leave the original as it is"
_CHANGED = "a file was changed while it was being looked at"


class Folder:
    """A folder of this machine, or one that is mounted here."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def states(self) -> list[Stored]:
        """Every file below the root; hidden ones are nobody's data."""
        if not self._root.is_dir():
            raise Failure("away", "the folder that the secret names is not there")
        with _said():
            return sorted(self._files(self._root), key=lambda each: each.name)

    @contextmanager
    def open(self, stored: Stored) -> Iterator[BinaryIO]:
        with _said():
            file = (self._root / stored.name).open("rb")
        with file:
            if _version(os.fstat(file.fileno())) != stored.version:
                raise Failure("moved", _CHANGED)
            yield file

    def leftovers(self) -> int:
        """Staged files, unless somebody is at work: they are removed before anything else is changed.

        Looked for without the lock, so that a proof does not turn a writer away. The lock, shared with
        other proofs, only tells whose the found ones are, and is held for no walk through the folder.

        Raises:
            Failure: there are some, and the lock cannot be asked about them.
        """
        found = self._staged()
        if not found:
            return 0
        try:
            with self._lock(fcntl.LOCK_SH):
                return sum(path.is_file() for path in found)
        except Failure as failure:
            if failure.meaning != "busy":
                raise
            return 0  # only a writer's lock refuses a shared one, and a writer begins by removing them

    @contextmanager
    def changing(self) -> "Iterator[FolderChanges]":
        with self._lock(fcntl.LOCK_EX):
            for path in self._staged():
                path.unlink(missing_ok=True)
            changes = FolderChanges(self._root)
            try:
                yield changes
            finally:
                changes.give_up()

    def close(self) -> None:
        """Nothing is held between two looks."""

    def _files(self, folder: Path) -> Iterator[Stored]:
        for entry in os.scandir(folder):
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._files(Path(entry.path))
            elif entry.is_dir():
                raise Failure("schema", "a folder below is a link, and is not looked into")
            else:
                name = Path(entry.path).relative_to(self._root).as_posix()
                yield Stored(name, _version(entry.stat()))

    def _staged(self) -> list[Path]:
        return [path for path in self._root.rglob(f"{STAGED}*") if path.is_file()]

    @contextmanager
    def _lock(self, how: int) -> Iterator[None]:
        with _said():
            descriptor = os.open(self._root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise Failure("busy", "files are being changed here for another request") from None
        finally:
            os.close(descriptor)


class FolderChanges:
    """New contents beside the old ones, then renamed over them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._staged: list[tuple[Stored, Path]] = []
        self.begun = False
        self.stopped = False

    @contextmanager
    def stage(self, stored: Stored) -> Iterator[BinaryIO]:
        refuse_stopped(self)
        with _said(), self._beside(stored) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())

    def remove(self, stored: Stored) -> None:
        """A folder has no older states."""
        raise AssertionError(stored.version)

    def commit(self) -> None:
        refuse_stopped(self)
        with _said():
            for stored, _ in self._staged:
                if _version((self._root / stored.name).stat()) != stored.version:
                    raise Failure("busy", _CHANGED)
            for stored, path in self._staged:
                self.begun = True
                path.replace(self._root / stored.name)
            for folder in {path.parent for _, path in self._staged}:
                _on_disk(folder)
        self._staged.clear()

    def _beside(self, stored: Stored) -> BinaryIO:
        """A new file in the same folder, its owner's and mode's."""
        target = self._root / stored.name
        found = target.lstat()
        if stat.S_ISLNK(found.st_mode) or found.st_nlink > 1:
            raise Failure("refused", _LINKED)
        path = target.with_name(f"{STAGED}{uuid4().hex}")
        self._staged.append((stored, path))
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w+b")
        os.fchmod(file.fileno(), stat.S_IMODE(found.st_mode))
        with suppress(PermissionError):
            os.fchown(file.fileno(), found.st_uid, found.st_gid)
        return file

    def give_up(self) -> None:
        """Leave nothing behind."""
        for _, path in self._staged:
            path.unlink(missing_ok=True)


def _version(found: os.stat_result) -> str:
    return f"{found.st_dev}:{found.st_ino}:{found.st_mtime_ns}:{found.st_size}"


def _on_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _said() -> Iterator[None]:
    """An operating system's error quotes the file's name: only its kind is passed on."""
    try:
        yield
    except PermissionError:
        raise Failure("credentials", "the folder does not let us in, or not do this") from None
    except FileNotFoundError:
        raise Failure("moved", _CHANGED) from None
    except OSError as error:
        raise Failure("away", f"the folder cannot be used ({type(error).__name__})") from None
